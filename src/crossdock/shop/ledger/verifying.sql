-- Recompute stored numbers from the ledger's rows; one result row per account, with whether they differ.
-- p_shop_id null checks all shops.

-- Each balance is the sum of the account's rows.
create or replace function ledger_balances(p_shop_id bigint)
returns table (place text, expected text, found text, wrong boolean) language sql stable as $$
    with sides as (
        select shop_id, debit_account_id as id, -amount_minor as change from ledger_entries
        where p_shop_id is null or shop_id = p_shop_id
        union all
        select shop_id, credit_account_id, amount_minor from ledger_entries
        where p_shop_id is null or shop_id = p_shop_id
    ), sums as (
        select shop_id, id, sum(change) as balance from sides group by shop_id, id
    )
    select format('shop %s %s %s %s', a.shop_id, a.kind, a.owner, a.currency), coalesce(s.balance, 0)::text,
           a.balance_minor::text, coalesce(s.balance, 0) <> a.balance_minor
    from accounts a left join sums s on s.shop_id = a.shop_id and s.id = a.id
    where p_shop_id is null or a.shop_id = p_shop_id
$$;

-- An account's debits are the sum of the rows that debit it.
create or replace function ledger_debits(p_shop_id bigint)
returns table (place text, expected text, found text, wrong boolean) language sql stable as $$
    with sums as (
        select shop_id, debit_account_id as id, sum(amount_minor) as debited from ledger_entries
        where p_shop_id is null or shop_id = p_shop_id group by shop_id, debit_account_id
    )
    select format('shop %s %s %s %s', a.shop_id, a.kind, a.owner, a.currency), coalesce(s.debited, 0)::text,
           a.debited_minor::text, coalesce(s.debited, 0) <> a.debited_minor
    from accounts a left join sums s on s.shop_id = a.shop_id and s.id = a.id
    where p_shop_id is null or a.shop_id = p_shop_id
$$;

-- The balance stored in each row is the running sum of the account's rows, ordered by id.
create or replace function ledger_running(p_shop_id bigint)
returns table (place text, expected text, found text, wrong boolean) language sql stable as $$
    with sides as (
        select shop_id, id as entry_id, debit_account_id as id, -amount_minor as change, debit_balance_minor as balance
        from ledger_entries where p_shop_id is null or shop_id = p_shop_id
        union all
        select shop_id, id, credit_account_id, amount_minor, credit_balance_minor
        from ledger_entries where p_shop_id is null or shop_id = p_shop_id
    ), running as (
        select s.*, sum(s.change) over (partition by s.shop_id, s.id order by s.entry_id) as expected from sides s
    )
    select format('shop %s account %s entry %s', shop_id, id, entry_id), expected::text, balance::text,
           expected <> balance
    from running
$$;

-- The balances of each currency sum to zero.
create or replace function ledger_sums(p_shop_id bigint)
returns table (place text, expected text, found text, wrong boolean) language sql stable as $$
    select format('shop %s %s', shop_id, currency), '0', sum(balance_minor)::text, sum(balance_minor) <> 0
    from accounts where p_shop_id is null or shop_id = p_shop_id
    group by shop_id, currency
$$;
