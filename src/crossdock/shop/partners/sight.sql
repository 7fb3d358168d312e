-- Whether a partner who sees these merchants sees this one; null stands for all of them. One expression, so that
-- the planner puts it in place of the call and may use an index of merchants.
create or replace function sees_merchant(p_merchant_ids bigint[], p_merchant_id bigint)
returns boolean language sql immutable parallel safe as $$
    select p_merchant_ids is null or p_merchant_id = any(p_merchant_ids)
$$;
