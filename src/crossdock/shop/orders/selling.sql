-- Post an order's sale: the payer owes the sums of the parts, or the prepaid account pays them, and the shop gets its
-- commission on each merchant's sales. With p_takes_back the reverse, to the same account, for what is cancelled of
-- an order that was not paid or was prepaid, and was not taken back yet. Raises CD002 if the prepaid balance is too low.
create or replace function post_sale(
    p_shop_id bigint, p_order_id bigint, p_prepaid_owner text, p_takes_back boolean, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_payer jsonb;
    v_transfers jsonb;
begin
    if p_takes_back then
        select jsonb_agg(jsonb_build_object(
                   'debit', t.credit, 'credit', t.debit,
                   'amount_minor', t.amount_minor - taken_back(o.shop_id, o.id, t.kind, t.credit ->> 'owner'),
                   'currency', o.currency, 'kind', t.kind || '_taken_back') order by t.merchant_id, t.position)
        into v_transfers
        from orders o
        cross join lateral (
            select min(p.merchant_id) as merchant_id, s.position, s.debit, s.credit, s.kind,
                   sum(s.amount_minor)::bigint as amount_minor
            from cancelled_sums(o.shop_id, o.id) p
            cross join lateral sale_of(sale_payer(o.shop_id, o.id), p.merchant_id, p.goods_minor, p.shipping_minor,
                                       p.tax_minor, p.commission_minor) s
            group by s.position, s.debit, s.credit, s.kind
        ) t
        where o.shop_id = p_shop_id and o.id = p_order_id;
    else
        select case when p_prepaid_owner is null then jsonb_build_object('kind', 'receivable', 'owner', order_payer(o))
                    else jsonb_build_object('kind', 'prepaid', 'owner', p_prepaid_owner) end
        into v_payer from orders o where o.shop_id = p_shop_id and o.id = p_order_id;
        select jsonb_agg(jsonb_build_object(
                   'debit', s.debit, 'credit', s.credit, 'amount_minor', s.amount_minor, 'currency', o.currency,
                   'kind', s.kind) order by p.merchant_id, s.position)
        into v_transfers
        from orders o join order_parts p on p.shop_id = o.shop_id and p.order_id = o.id
        cross join lateral sale_of(v_payer, p.merchant_id, p.subtotal_minor - p.discount_minor, p.shipping_minor,
                                   p.tax_minor, p.commission_minor) s
        where o.shop_id = p_shop_id and o.id = p_order_id;
    end if;
    perform post_transfers(p_shop_id, v_transfers, p_order_id, p_now);
end $$;

-- The transfers of the sale of a merchant's part of an order.
create or replace function sale_of(
    p_payer jsonb, p_merchant_id bigint, p_goods_minor bigint, p_shipping_minor bigint, p_tax_minor bigint,
    p_commission_minor bigint
) returns table ("position" int, debit jsonb, credit jsonb, amount_minor bigint, kind text)
language sql stable as $$
    select t.* from (
        select jsonb_build_object('kind', 'sales', 'owner', 'merchant:' || p_merchant_id) as sales
    ) a
    cross join lateral (values
        (1, p_payer, a.sales, p_goods_minor, 'sale'),
        (2, p_payer, '{"kind": "shipping", "owner": ""}'::jsonb, p_shipping_minor, 'shipping'),
        (3, p_payer, '{"kind": "tax", "owner": ""}'::jsonb, p_tax_minor, 'tax'),
        (4, a.sales, jsonb_build_object('kind', 'commission', 'owner', 'merchant:' || p_merchant_id),
         p_commission_minor, 'commission')
    ) t
$$;

-- What was taken back of an order's sale so far, of one kind of transfer and one account's owner.
create or replace function taken_back(p_shop_id bigint, p_order_id bigint, p_kind text, p_owner text)
returns bigint language sql stable as $$
    select coalesce(sum(e.amount_minor), 0)::bigint
    from ledger_entries e join accounts a on a.shop_id = e.shop_id and a.id = e.debit_account_id
    where e.shop_id = p_shop_id and e.order_id = p_order_id and e.kind = p_kind || '_taken_back' and a.owner = p_owner
$$;

-- What was taken back of an order's total so far: its payer does not owe it, or has it on a prepaid account again.
create or replace function taken_back_total(p_shop_id bigint, p_order_id bigint)
returns bigint language sql stable as $$
    select coalesce(sum(e.amount_minor), 0)::bigint from ledger_entries e
    where e.shop_id = p_shop_id and e.order_id = p_order_id
      and e.kind in ('sale_taken_back', 'shipping_taken_back', 'tax_taken_back')
$$;

-- The cancelled share of an order's sums by merchant: of each line the share of its cancelled units. What is kept is
-- rounded half up and the rest is cancelled, so that both add up to what was sold. A merchant's shipping is cancelled
-- only with all of its goods, because it is charged per parcel.
create or replace function cancelled_sums(p_shop_id bigint, p_order_id bigint)
returns table (merchant_id bigint, goods_minor bigint, shipping_minor bigint, tax_minor bigint,
               commission_minor bigint)
language sql stable as $$
    select p.merchant_id, l.goods_minor, case when l.is_whole then p.shipping_minor else 0 end, l.tax_minor,
           p.commission_minor - coalesce(round(
               p.commission_minor::numeric * (p.subtotal_minor - p.discount_minor - l.goods_minor)
               / nullif(p.subtotal_minor - p.discount_minor, 0)), 0)::bigint
    from order_parts p cross join lateral (
        select bool_and(s.cancelled = s.quantity) as is_whole,
               sum(s.unit_price_minor * s.cancelled - (
                   s.discount_minor - kept_of(s.discount_minor, s.cancelled, s.quantity)))::bigint as goods_minor,
               sum(s.tax_minor - kept_of(s.tax_minor, s.cancelled, s.quantity))::bigint as tax_minor
        from order_lines s
        where s.shop_id = p.shop_id and s.order_id = p.order_id and s.merchant_id = p.merchant_id
    ) l
    where p.shop_id = p_shop_id and p.order_id = p_order_id
$$;

create or replace function kept_of(p_amount_minor bigint, p_cancelled bigint, p_quantity bigint)
returns bigint language sql immutable as $$
    select round(p_amount_minor::numeric * (p_quantity - p_cancelled) / p_quantity)::bigint
$$;

-- The cancelled share of an order's total; the buyer owes the rest.
create or replace function cancelled_total(p_shop_id bigint, p_order_id bigint)
returns bigint language sql stable as $$
    select coalesce(sum(c.goods_minor + c.shipping_minor + c.tax_minor), 0)::bigint
    from cancelled_sums(p_shop_id, p_order_id) c
$$;

-- What is owed no more of an order: its cancelled share, and the share of the units that were returned. Shipping paid
-- a parcel that left, so it does not come back with the goods.
create or replace function owed_no_more(p_shop_id bigint, p_order_id bigint)
returns bigint language sql stable as $$
    select cancelled_total(p_shop_id, p_order_id) + coalesce(sum(
               s.unit_price_minor * s.returned
               - kept_of(s.discount_minor, s.cancelled, s.quantity)
               + kept_of(s.discount_minor, s.cancelled + s.returned, s.quantity)
               + kept_of(s.tax_minor, s.cancelled, s.quantity)
               - kept_of(s.tax_minor, s.cancelled + s.returned, s.quantity)), 0)::bigint
    from order_lines s where s.shop_id = p_shop_id and s.order_id = p_order_id
$$;

-- Of the lines that were refunded by name: what of the order's cancelled share and of what is owed no more is theirs,
-- at most what they were refunded, and that.
create or replace function refunded_by_name(
    p_shop_id bigint, p_order_id bigint, out cancelled_minor bigint, out owed_minor bigint, out refunded_minor bigint
) language sql stable as $$
    select coalesce(sum(least(s.refunded_minor, c.goods_minor + s.shipping_due)), 0)::bigint,
           coalesce(sum(least(s.refunded_minor, o.goods_minor + s.shipping_due)), 0)::bigint,
           coalesce(sum(s.refunded_minor), 0)::bigint
    from (
        select l.*, case when bool_and(l.cancelled = l.quantity) over (partition by l.merchant_id)
                         then l.shipping_minor else 0 end as shipping_due
        from order_lines l where l.shop_id = p_shop_id and l.order_id = p_order_id
    ) s
    cross join lateral (
        select given_up(s.unit_price_minor, s.discount_minor, s.tax_minor, s.cancelled, s.quantity) as goods_minor
    ) c
    cross join lateral (
        select given_up(s.unit_price_minor, s.discount_minor, s.tax_minor, s.cancelled + s.returned, s.quantity)
            as goods_minor
    ) o
    where s.refunded_at is not null
$$;

-- What so many units of a line cost without shipping.
create or replace function given_up(
    p_unit_price_minor bigint, p_discount_minor bigint, p_tax_minor bigint, p_units bigint, p_quantity bigint
) returns bigint language sql immutable as $$
    select p_unit_price_minor * p_units - (p_discount_minor - kept_of(p_discount_minor, p_units, p_quantity))
           + p_tax_minor - kept_of(p_tax_minor, p_units, p_quantity)
$$;

-- The account that an order's sale was posted to, or null.
create or replace function sale_payer(p_shop_id bigint, p_order_id bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('kind', a.kind, 'owner', a.owner)
    from ledger_entries e join accounts a on a.shop_id = e.shop_id and a.id = e.debit_account_id
    where e.shop_id = p_shop_id and e.order_id = p_order_id and e.kind in ('sale', 'shipping', 'tax')
    order by e.id limit 1
$$;

-- The owner of the account that an order is charged to.
create or replace function order_payer(o orders) returns text language sql immutable as $$
    select case when o.customer_id is not null then 'customer:' || o.customer_id
                when o.partner_id is not null then 'partner:' || o.partner_id
                else 'order:' || o.id end
$$;
