"""What the doctor compares of resellers: what they were sent, have and paid, with serials and ledger."""

_FULFILMENTS = """
    select format('shop %s fulfilment %s', f.shop_id, f.id),
           format('%s sold and %s debited for %s', f.quantity, f.total_minor, f.total_minor),
           format('%s sold and %s debited for %s', s.sold, e.debited, o.total_minor),
           (s.sold, e.debited, o.total_minor) is distinct from (f.quantity, f.total_minor, f.total_minor) as wrong
    from reseller_fulfilments f
    left join orders o on o.shop_id = f.shop_id and o.id = f.order_id
    cross join lateral (
        select count(*) as sold from serial_sales b join serials x on x.shop_id = b.shop_id and x.id = b.serial_id
        where b.shop_id = f.shop_id and b.order_id = f.order_id and x.replaced_at is null
    ) s
    cross join lateral (
        select coalesce(sum(l.amount_minor), 0) as debited
        from ledger_entries l join accounts a on a.shop_id = l.shop_id and a.id = l.debit_account_id
        where l.shop_id = f.shop_id and l.order_id = f.order_id and a.kind = 'prepaid'
          and a.owner = reseller_owner(f.reseller_id) and l.kind = 'sale'
    ) e
"""

_RESELLER_ORDERS = """
    select format('shop %s order %s', o.shop_id, o.id),
           format('%s sold and %s debited', l.quantity, o.total_minor),
           format('%s sold and %s debited', s.sold, e.debited),
           (s.sold, e.debited) is distinct from (l.quantity, o.total_minor) as wrong
    from orders o
    join resellers r on r.shop_id = o.shop_id and r.partner_id = o.partner_id
    cross join lateral (
        select sum(x.quantity)::bigint as quantity from order_lines x
        where x.shop_id = o.shop_id and x.order_id = o.id
    ) l
    cross join lateral (
        select count(*) as sold from serial_sales b join serials x on x.shop_id = b.shop_id and x.id = b.serial_id
        where b.shop_id = o.shop_id and b.order_id = o.id and x.replaced_at is null
    ) s
    cross join lateral (
        select coalesce(sum(d.amount_minor), 0)::bigint as debited
        from ledger_entries d join accounts a on a.shop_id = d.shop_id and a.id = d.debit_account_id
        where d.shop_id = o.shop_id and d.order_id = o.id and a.kind = 'prepaid'
          and a.owner = reseller_owner(r.id) and d.kind = 'sale'
    ) e
    where o.source = 'reseller_order'
"""

_ITEMS = """
    select format('shop %s transfer %s', t.shop_id, t.id), items_of(t.allocated_count, t.delivered_count, t.left_count),
           items_of(i.count, i.delivered, i.available),
           (t.allocated_count, t.delivered_count, t.left_count) <> (i.count, i.delivered, i.available) as wrong
    from (select *, case state when 'allocated' then allocated_count - delivered_count else 0 end as left_count
          from reseller_transfers) t
    cross join lateral (
        select count(*), count(*) filter (where state = 'delivered') as delivered,
               count(*) filter (where state = 'available') as available
        from reseller_items i where i.shop_id = t.shop_id and i.transfer_id = t.id
    ) i
""".replace("items_of(", "format('%s items, %s delivered, %s available', ")

_CREDIT = """
    select format('shop %s reseller %s', r.shop_id, r.id),
           sums_of(coalesce(t.open, 0) - coalesce(e.settled, 0), t.sold), sums_of(a.credit, e.sold),
           (coalesce(t.open, 0) - coalesce(e.settled, 0), coalesce(t.sold, 0))
           <> (coalesce(a.credit, 0), coalesce(e.sold, 0)) as wrong
    from resellers r left join (
        select t.shop_id, t.reseller_id, sum(case when t.allocated_at is null then 0 else t.total_minor end) as sold,
               sum(case when t.paid_at is null and i.paid_at is null then 0 else t.total_minor end
                   - case when t.allocated_at is null then 0
                          when t.state = 'revoked' then t.unit_minor * t.delivered_count
                          else t.total_minor end) as open
        from reseller_transfers t left join invoices i on i.shop_id = t.shop_id and i.id = t.invoice_id
        group by t.shop_id, t.reseller_id
    ) t on t.shop_id = r.shop_id and t.reseller_id = r.id
    left join (
        select shop_id, owner, sum(balance_minor) as credit from accounts where kind = 'receivable'
        group by shop_id, owner
    ) a on a.shop_id = r.shop_id and a.owner = 'reseller:' || r.id
    left join (
        select l.shop_id, d.owner, sum(l.amount_minor) filter (where l.kind = 'stock_sale') as sold,
               sum(l.amount_minor) filter (where l.kind = 'stock_refund') as settled
        from ledger_entries l join accounts d on d.shop_id = l.shop_id and d.id = l.debit_account_id
        where l.kind in ('stock_sale', 'stock_refund') and d.kind = 'receivable' group by l.shop_id, d.owner
    ) e on e.shop_id = r.shop_id and e.owner = 'reseller:' || r.id
""".replace("sums_of(", "format('%s paid and not got, %s sold', ")

RESELLER_CHECKS = {
    "resellers paid for what they were sent": _FULFILMENTS,
    "resellers paid for the orders of their shops": _RESELLER_ORDERS,
    "resellers have the items that they were given": _ITEMS,
    "resellers' credit is what they paid and did not get": _CREDIT,
}
