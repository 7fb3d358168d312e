-- Bring the sales of orders that resellers brought up to what was paid and refunded (spec shoppex_reseller 9.2): of a
-- paid order one sale for each line that earns, once, with its event; what was refunded of it taken back; and what was
-- held long enough made available. Orders that nobody brought are passed over. Performed again it changes nothing, so
-- that whoever was cut off begins anew. Returns how many rows it wrote.
-- The accounts are locked first and all at once, in the order of post_transfers: orders of one reseller may be booked,
-- released and claimed at the same time.
create or replace function book_commission(
    p_shop_id bigint, p_order_ids bigint[], p_hold interval, p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_order record;
    v_earned record;
    v_reversed record;
    v_released record;
    v_count bigint := 0;
begin
    perform 1 from accounts a
    where a.shop_id = p_shop_id and (a.kind = 'reseller_costs'
        or a.kind in ('reseller_available', 'reseller_pending') and a.owner in (
            select 'reseller:' || b.reseller_id from reseller_attributions b
            where b.shop_id = p_shop_id and b.order_id = any(p_order_ids)))
    order by a.kind collate "C", a.owner collate "C", a.currency collate "C" for no key update;
    for v_order in
        select o.id, o.currency, coalesce(o.billing ->> 'email', '') as email, coalesce(o.paid_at, p_now) as paid_at,
               b.reseller_id, b.campaign_id, r.email as reseller_email
        from reseller_attributions b
        join orders o on o.shop_id = b.shop_id and o.id = b.order_id
        join resellers r on r.shop_id = b.shop_id and r.id = b.reseller_id
        where b.shop_id = p_shop_id and b.order_id = any(p_order_ids)
          and o.payment_state in ('paid', 'partially_refunded', 'refunded')
        order by o.id
    loop
        with sold as (
            insert into reseller_sales as s (
                shop_id, reseller_id, order_id, line_no, campaign_id, product_id, variant_id, quantity, gross_minor,
                base_minor, commission_bp, commission_minor, currency, customer_email, status, available_at,
                created_at, updated_at)
            select p_shop_id, v_order.reseller_id, v_order.id, l.line_no, v_order.campaign_id, l.product_id,
                   l.variant_id, l.quantity, n.gross_minor, n.base_minor, e.commission_bp,
                   share_bp(n.base_minor, e.commission_bp), v_order.currency, v_order.email, 'pending',
                   v_order.paid_at + p_hold, p_now, p_now
            from reseller_attributed_lines e
            join order_lines l on l.shop_id = e.shop_id and l.order_id = e.order_id and l.line_no = e.line_no
            cross join lateral (
                select l.unit_price_minor * l.quantity as gross_minor,
                       greatest(0, l.unit_price_minor * l.quantity - l.discount_minor) as base_minor
            ) n
            where e.shop_id = p_shop_id and e.order_id = v_order.id
            order by l.line_no
            on conflict do nothing
            returning s.*
        )
        select count(write_event(p_shop_id, 'reseller.sale', s.id, jsonb_build_object(
                   'reseller_id', s.reseller_id, 'email', v_order.reseller_email, 'order_id', s.order_id,
                   'product_id', s.product_id, 'variant_id', (
                       select s.variant_id from products p
                       where p.shop_id = s.shop_id and p.id = s.product_id and has_variants(p)),
                   'quantity', s.quantity,
                   'gross_minor', s.gross_minor, 'commission_bp', s.commission_bp,
                   'commission_minor', s.commission_minor, 'currency', s.currency,
                   'campaign_id', s.campaign_id), p_now)) as number,
               coalesce(sum(s.commission_minor), 0)::bigint as minor
        into v_earned from sold s;
        assert fail_point('book_commission:sold');

        with taken as (
            update reseller_sales s
            set reversed_minor = greatest(b.reversed_minor, s.commission_minor - k.kept_minor), updated_at = p_now,
                refunded_minor = greatest(b.refunded_minor, s.base_minor - k.kept_base_minor),
                status = case when k.is_over then 'reversed' else s.status end
            from reseller_sales b
            join kept_of_sales(p_shop_id, v_order.id) k on k.line_no = b.line_no
            where b.shop_id = p_shop_id and b.order_id = v_order.id
              and s.shop_id = b.shop_id and s.id = b.id and b.status <> 'reversed'
              and (k.is_over or b.commission_minor - k.kept_minor > b.reversed_minor
                   or b.base_minor - k.kept_base_minor > b.refunded_minor)
            returning b.status, s.reversed_minor - b.reversed_minor as minor
        )
        select count(*) as number,
               coalesce(sum(t.minor) filter (where t.status = 'pending'), 0)::bigint as pending,
               coalesce(sum(t.minor) filter (where t.status = 'approved'), 0)::bigint as available
        into v_reversed from taken t;
        assert fail_point('book_commission:reversed');

        with due as (
            update reseller_sales s set status = 'approved', updated_at = p_now
            where s.shop_id = p_shop_id and s.order_id = v_order.id and s.status = 'pending'
              and s.available_at <= p_now
            returning s.commission_minor - s.reversed_minor as minor
        )
        select count(*) as number, coalesce(sum(d.minor), 0)::bigint as minor into v_released from due d;
        assert fail_point('book_commission:released');

        perform post_transfers(p_shop_id, (
            select jsonb_agg(jsonb_build_object(
                       'debit', jsonb_build_object('kind', t.debit, 'owner', case t.debit when 'reseller_costs' then ''
                                                   else 'reseller:' || v_order.reseller_id end),
                       'credit', jsonb_build_object('kind', t.credit, 'owner', case t.credit when 'reseller_costs'
                                                    then '' else 'reseller:' || v_order.reseller_id end),
                       'amount_minor', t.minor, 'currency', v_order.currency, 'kind', t.fact) order by t.position)
            from (values
                (1, 'reseller_costs', 'reseller_pending', v_earned.minor, 'commission_earned'),
                (2, 'reseller_pending', 'reseller_costs', v_reversed.pending, 'commission_reversed'),
                (3, 'reseller_available', 'reseller_costs', v_reversed.available, 'commission_reversed'),
                (4, 'reseller_pending', 'reseller_available', v_released.minor, 'commission_released')
            ) t (position, debit, credit, minor, fact)), v_order.id, p_now);
        assert fail_point('book_commission:posted');
        v_count := v_count + v_earned.number + v_reversed.number + v_released.number;
    end loop;
    return v_count;
end $$;

-- What refunds leave of each sale's commission and of what it is a share of, and whether nothing is left of its line.
-- What was refunded of a line by name is taken off that line, its goods before its shipping; the rest of what the
-- payments gave back, and what they never took, is taken off every line in proportion.
create or replace function kept_of_sales(p_shop_id bigint, p_order_id bigint)
returns table (line_no smallint, kept_minor bigint, kept_base_minor bigint, is_over boolean)
language sql stable as $$
    with money as (
        select o.payment_state = 'refunded' as is_refunded,
               (o.total_minor - (select sum(l.refunded_minor) from order_lines l
                                 where l.shop_id = o.shop_id and l.order_id = o.id))::bigint as due_minor,
               (select sum(p.captured_minor - p.refunded_minor) from payments p
                where p.shop_id = o.shop_id and p.order_id = o.id)::bigint as left_minor
        from orders o where o.shop_id = p_shop_id and o.id = p_order_id
    )
    select s.line_no,
           case when k.is_over then 0 else kept_share(
               s.commission_minor, k.goods_minor, l.refunded_minor, m.due_minor, coalesce(m.left_minor, m.due_minor)) end,
           case when k.is_over then 0 else kept_share(
               s.base_minor, k.goods_minor, l.refunded_minor, m.due_minor, coalesce(m.left_minor, m.due_minor)) end,
           k.is_over
    from money m
    join reseller_sales s on s.shop_id = p_shop_id and s.order_id = p_order_id
    join order_lines l on l.shop_id = s.shop_id and l.order_id = s.order_id and l.line_no = s.line_no
    cross join lateral (
        select l.total_minor - l.shipping_minor as goods_minor,
               m.is_refunded or m.due_minor > 0 and m.left_minor <= 0
               or l.total_minor > l.shipping_minor and l.refunded_minor >= l.total_minor - l.shipping_minor as is_over
    ) k
$$;

-- What is kept of an amount of a line, rounded half up: by the share of the line's goods that was not refunded, and by the share
-- that is left of what is due for the order. Exact for any bigint.
create or replace function kept_share(
    p_amount_minor bigint, p_goods_minor bigint, p_refunded_minor bigint, p_due_minor bigint, p_left_minor bigint
) returns bigint language sql immutable as $$
    select div(2 * p_amount_minor::numeric * s.kept * s.left_of + s.whole * s.due, 2 * s.whole * s.due)::bigint
    from (
        select case when p_goods_minor > 0 then p_goods_minor else 1 end::numeric as whole,
               case when p_goods_minor > 0 then greatest(0, p_goods_minor - p_refunded_minor) else 1 end::numeric
                   as kept,
               case when p_due_minor > 0 then p_due_minor else 1 end::numeric as due,
               case when p_due_minor > 0 then least(p_due_minor, greatest(0, p_left_minor)) else 1 end::numeric
                   as left_of
    ) s
$$;

-- Each bucket of each relationship: what its sales and claims add up to, and what the ledger says; the doctor compares.
create or replace function commission_buckets(p_shop_id bigint)
returns table (place text, expected text, found text, wrong boolean) language sql stable as $$
    with sold as (
        select s.shop_id, s.reseller_id, s.currency,
               coalesce(sum(s.commission_minor - s.reversed_minor) filter (where s.status = 'pending'), 0) as pending,
               coalesce(sum(s.commission_minor - s.reversed_minor) filter (where s.status = 'approved'), 0) as approved
        from reseller_sales s where p_shop_id is null or s.shop_id = p_shop_id group by 1, 2, 3
    ), claimed as (
        select c.shop_id, c.reseller_id, c.currency,
               coalesce(sum(c.amount_minor) filter (where c.status in ('pending', 'approved')), 0) as reserved,
               coalesce(sum(c.amount_minor) filter (where c.status = 'completed'), 0) as paid
        from reseller_claims c where p_shop_id is null or c.shop_id = p_shop_id group by 1, 2, 3
    ), expected as (
        select coalesce(s.shop_id, c.shop_id) as shop_id, b.kind,
               'reseller:' || coalesce(s.reseller_id, c.reseller_id) as owner, coalesce(s.currency, c.currency) as currency,
               b.minor
        from sold s full join claimed c using (shop_id, reseller_id, currency)
        cross join lateral (values
            ('reseller_pending', coalesce(s.pending, 0)),
            ('reseller_available', coalesce(s.approved, 0) - coalesce(c.reserved, 0) - coalesce(c.paid, 0)),
            ('reseller_reserved', coalesce(c.reserved, 0))
        ) b (kind, minor)
    ), kept as (
        select a.shop_id, a.kind, a.owner, a.currency, a.balance_minor as minor from accounts a
        where a.kind in ('reseller_pending', 'reseller_available', 'reseller_reserved')
          and (p_shop_id is null or a.shop_id = p_shop_id)
    )
    select format('shop %s %s %s %s', coalesce(e.shop_id, k.shop_id), coalesce(e.kind, k.kind),
                  coalesce(e.owner, k.owner), coalesce(e.currency, k.currency)),
           coalesce(e.minor, 0)::text, coalesce(k.minor, 0)::text, coalesce(e.minor, 0) <> coalesce(k.minor, 0)
    from expected e full join kept k using (shop_id, kind, owner, currency)
$$;
