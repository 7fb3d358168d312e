-- Whether a text is a regular expression that the database can match.
create or replace function is_pattern(p_pattern text) returns boolean language plpgsql immutable as $$
begin
    perform '' ~ p_pattern;
    return true;
exception when invalid_regular_expression then
    return false;
end $$;

-- What a product asks of an order for it; see OrderTerms.
create or replace function order_terms(p products) returns jsonb language sql stable as $$
    select jsonb_build_object('quantity_min', p.quantity_min, 'quantity_max', p.quantity_max,
                              'custom_fields', p.custom_fields)
$$;
