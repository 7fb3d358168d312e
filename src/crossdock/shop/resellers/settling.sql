-- What a relationship paid for stock that was revoked from it and was not settled since; no currency if there is no
-- such relationship. A transfer counts as paid with its invoice, which is a moment before the transfer says so.
create or replace function stock_credit(p_shop_id bigint, p_reseller_id bigint, out left_minor bigint, out currency char(3))
language sql stable as $$
    select (t.left_minor - e.settled_minor)::bigint, s.currency
    from resellers r
    join shops s on s.id = r.shop_id
    cross join lateral (
        select coalesce(sum(x.total_minor - case when x.allocated_at is null then 0
                                                 else x.unit_minor * x.delivered_count end), 0) as left_minor
        from reseller_transfers x left join invoices i on i.shop_id = x.shop_id and i.id = x.invoice_id
        where x.shop_id = r.shop_id and x.reseller_id = r.id and x.state = 'revoked'
          and (x.paid_at is not null or i.paid_at is not null)
    ) t
    cross join lateral (
        select coalesce(sum(l.amount_minor), 0) as settled_minor
        from accounts a join ledger_entries l on l.shop_id = a.shop_id and l.debit_account_id = a.id
        where a.shop_id = r.shop_id and a.kind = 'receivable' and a.owner = reseller_owner(r.id)
          and l.kind = 'stock_refund'
    ) e
    where r.shop_id = p_shop_id and r.id = p_reseller_id
$$;
