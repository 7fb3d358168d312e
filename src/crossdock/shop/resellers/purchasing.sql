-- Lock a relationship and read all by which a purchase of stock is decided; null if the shop has none such.
create or replace function prepare_stock_purchase(
    p_shop_id bigint, p_reseller_id bigint, p_product_id bigint, p_variant_id bigint, p_now timestamptz
) returns jsonb language plpgsql as $$
declare
    v_reseller resellers;
begin
    select r.* into v_reseller from resellers r
    where r.shop_id = p_shop_id and r.id = p_reseller_id for no key update;
    if not found then
        return null;
    end if;
    return reseller_buying(v_reseller, reseller_used(v_reseller, p_now), p_product_id, p_variant_id, p_now);
end $$;

-- Record what a relationship asked for at what price; returns the transfer's id. The caller has locked the
-- relationship.
create or replace function record_stock_purchase(p_shop_id bigint, p_facts jsonb, p_now timestamptz)
returns bigint language plpgsql as $$
declare
    v_made reseller_transfers;
begin
    insert into reseller_transfers (shop_id, reseller_id, product_id, variant_id, merchant_id, asked_variant_id,
                                    product_name, variant_name, quantity, base_minor, discount_bp, unit_minor,
                                    total_minor, currency, requested_at, updated_at)
    select p_shop_id, f.reseller_id, f.product_id, f.variant_id, f.merchant_id, f.asked_variant_id, f.product_name,
           f.variant_name, f.quantity, f.base_minor, f.discount_bp, f.unit_minor, f.unit_minor * f.quantity, f.currency,
           p_now, p_now
    from jsonb_to_record(p_facts) as f (
        reseller_id bigint, product_id bigint, variant_id bigint, merchant_id bigint, asked_variant_id bigint,
        product_name text, variant_name text, quantity bigint, base_minor bigint, discount_bp integer,
        unit_minor bigint, currency char(3))
    returning * into v_made;
    assert fail_point('record_stock_purchase:recorded');
    perform tell_transfer(v_made, 'reseller.stock_requested', p_now);
    return v_made.id;
end $$;

-- Write the event of a transfer that has come into its state.
create or replace function tell_transfer(p_transfer reseller_transfers, p_kind text, p_now timestamptz)
returns void language plpgsql as $$
begin
    perform write_event(p_transfer.shop_id, p_kind, p_transfer.id, jsonb_build_object(
        'reseller_id', p_transfer.reseller_id, 'email', (
            select r.email from resellers r where r.shop_id = p_transfer.shop_id and r.id = p_transfer.reseller_id),
        'product_id', p_transfer.product_id, 'variant_id', p_transfer.asked_variant_id,
        'quantity', p_transfer.quantity, 'total_minor', p_transfer.total_minor, 'currency', p_transfer.currency,
        'state', p_transfer.state, 'invoice_id', p_transfer.invoice_id,
        'allocated_count', p_transfer.allocated_count), p_now);
end $$;
