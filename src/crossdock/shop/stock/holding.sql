-- Close holds that become somebody's share for good: those of p_holds ({hold_id, variant_id, quantity}) that are
-- still held, for that variant and quantity. The caller posts them; what is missing in the answer is gone.
create or replace function close_holds(p_shop_id bigint, p_holds jsonb, p_now timestamptz)
returns table (id bigint, variant_id bigint, pool text, quantity bigint) language sql as $$
    update holds h set status = 'committed', closed_at = p_now
    from (
        select x.hold_id, x.variant_id, x.quantity
        from jsonb_to_recordset(p_holds) as x (hold_id bigint, variant_id bigint, quantity bigint)
        order by x.hold_id
    ) w
    where h.shop_id = p_shop_id and h.id = w.hold_id and h.variant_id = w.variant_id
      and h.quantity = w.quantity and h.status = 'held' and h.expires_at > p_now
    returning h.id, h.variant_id, h.pool, h.quantity
$$;
