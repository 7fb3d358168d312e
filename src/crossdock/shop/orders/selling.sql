-- Post what an order sold: its payer owes what the parts cost, or its prepaid account pays it, and of a merchant's
-- sales the shop has its share. With p_takes_back the other way round, for an order that was cancelled before it
-- was paid. Raises CD002 where the prepaid balance does not cover it.
create or replace function post_sale(
    p_shop_id bigint, p_order_id bigint, p_prepaid_owner text, p_takes_back boolean, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_transfers jsonb;
begin
    select jsonb_agg(jsonb_build_object(
               'debit', case when p_takes_back then t.credit else t.debit end,
               'credit', case when p_takes_back then t.debit else t.credit end,
               'amount_minor', t.amount_minor, 'currency', o.currency,
               'kind', t.kind || case when p_takes_back then '_taken_back' else '' end)
               order by p.merchant_id, t.position)
    into v_transfers
    from orders o join order_parts p on p.shop_id = o.shop_id and p.order_id = o.id
    cross join lateral (
        select case when p_prepaid_owner is null then jsonb_build_object('kind', 'receivable', 'owner', order_payer(o))
                    else jsonb_build_object('kind', 'prepaid', 'owner', p_prepaid_owner) end as payer,
               jsonb_build_object('kind', 'sales', 'owner', 'merchant:' || p.merchant_id) as sales
    ) a
    cross join lateral (values
        (1, a.payer, a.sales, p.subtotal_minor - p.discount_minor, 'sale'),
        (2, a.payer, '{"kind": "shipping", "owner": ""}'::jsonb, p.shipping_minor, 'shipping'),
        (3, a.payer, '{"kind": "tax", "owner": ""}'::jsonb, p.tax_minor, 'tax'),
        (4, a.sales, jsonb_build_object('kind', 'commission', 'owner', 'merchant:' || p.merchant_id),
         p.commission_minor, 'commission')
    ) t (position, debit, credit, amount_minor, kind)
    where o.shop_id = p_shop_id and o.id = p_order_id;
    perform post_transfers(p_shop_id, v_transfers, p_order_id, p_now);
end $$;

-- Whose account an order is on.
create or replace function order_payer(o orders) returns text language sql immutable as $$
    select case when o.customer_id is not null then 'customer:' || o.customer_id
                when o.partner_id is not null then 'partner:' || o.partner_id
                else 'order:' || o.id end
$$;
