-- Whether a partner who may see p_merchant_ids (null: all) may see this merchant. A single expression, so that the
-- planner inlines it and can use an index on merchants.
create or replace function sees_merchant(p_merchant_ids bigint[], p_merchant_id bigint)
returns boolean language sql immutable parallel safe as $$
    select p_merchant_ids is null or p_merchant_id = any(p_merchant_ids)
$$;
