-- Post transfers between accounts: lock and change the balances in a fixed order, write one row per transfer and
-- one event. Call it last in a transaction, because orders and levels are locked before accounts.
-- p_transfers: [{debit: {kind, owner}, credit: {kind, owner}, amount_minor, currency, kind, reason,
-- payment_id}]; transfers of 0 are skipped. An account is created on first use, with the floor of its kind.
-- Raises CD002 if a balance would end below its floor, with all such accounts as its detail; nothing is
-- written then. A CHECK constraint enforces the same.
-- Accounts are read one by one by their full key, for the reason given at post_stock.
create or replace function post_transfers(
    p_shop_id bigint, p_transfers jsonb, p_order_id bigint, p_now timestamptz
) returns void language plpgsql as $$
declare
    v_account record;
    v_transfer record;
    v_debit int;
    v_credit int;
    v_id bigint;
    v_balance bigint;
    v_keys text[];
    v_ids bigint[];
    v_balances bigint[];
    v_short jsonb[];
    v_entries bigint[];
begin
    for v_account in
        select s.kind, s.owner, s.currency, sum(s.change)::bigint as change,
               sum(greatest(-s.change, 0))::bigint as debited
        from jsonb_to_recordset(p_transfers) as t (debit jsonb, credit jsonb, amount_minor bigint, currency char(3))
        cross join lateral (
            values (t.debit ->> 'kind', t.debit ->> 'owner', t.currency, -t.amount_minor),
                   (t.credit ->> 'kind', t.credit ->> 'owner', t.currency, t.amount_minor)
        ) s (kind, owner, currency, change)
        where t.amount_minor <> 0
        group by s.kind, s.owner, s.currency
        order by s.kind collate "C", s.owner collate "C", s.currency collate "C"
    loop
        for v_attempt in 1..2 loop
            update accounts a set balance_minor = a.balance_minor + v_account.change,
                                  debited_minor = a.debited_minor + v_account.debited, updated_at = p_now
            where a.shop_id = p_shop_id and a.kind = v_account.kind and a.owner = v_account.owner
              and a.currency = v_account.currency
              and (a.floor_minor is null or a.balance_minor + v_account.change >= a.floor_minor)
            returning a.id, a.balance_minor into v_id, v_balance;
            exit when found or v_attempt = 2;
            assert fail_point('post_transfers:missing_account');
            insert into accounts (shop_id, kind, owner, currency, floor_minor, created_at, updated_at)
            values (p_shop_id, v_account.kind, v_account.owner, v_account.currency,
                    (select k.floor_minor from account_kinds k where k.kind = v_account.kind), p_now, p_now)
            on conflict (shop_id, kind, owner, currency) do nothing;
            assert fail_point('post_transfers:account');
        end loop;
        assert fail_point('post_transfers:balance');
        if v_id is null then
            v_short := v_short || jsonb_build_object(
                'kind', v_account.kind, 'owner', v_account.owner, 'currency', v_account.currency,
                'change_minor', v_account.change);
        end if;
        v_keys := v_keys || format('%s %s %s', v_account.kind, v_account.currency, v_account.owner);
        v_ids := v_ids || v_id;
        v_balances := v_balances || v_balance - v_account.change;
    end loop;
    if v_short is not null then
        raise exception 'a balance would end below its floor' using errcode = 'CD002', detail = to_jsonb(v_short)::text;
    end if;
    if v_keys is null then
        return;
    end if;
    assert fail_point('post_transfers:balances');

    for v_transfer in
        select t.* from rows from (jsonb_to_recordset(p_transfers) as (
            debit jsonb, credit jsonb, amount_minor bigint, currency char(3), kind text, reason text, payment_id bigint)
        ) with ordinality as t (debit, credit, amount_minor, currency, kind, reason, payment_id, position)
        where t.amount_minor <> 0 order by t.position
    loop
        v_debit := array_position(v_keys, format(
            '%s %s %s', v_transfer.debit ->> 'kind', v_transfer.currency, v_transfer.debit ->> 'owner'));
        v_credit := array_position(v_keys, format(
            '%s %s %s', v_transfer.credit ->> 'kind', v_transfer.currency, v_transfer.credit ->> 'owner'));
        v_balances[v_debit] := v_balances[v_debit] - v_transfer.amount_minor;
        v_balances[v_credit] := v_balances[v_credit] + v_transfer.amount_minor;
        insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency,
                                    debit_balance_minor, credit_balance_minor, kind, reason, order_id, payment_id,
                                    created_at)
        values (p_shop_id, v_ids[v_debit], v_ids[v_credit], v_transfer.amount_minor, v_transfer.currency,
                v_balances[v_debit], v_balances[v_credit], v_transfer.kind, coalesce(v_transfer.reason, ''),
                p_order_id, v_transfer.payment_id, p_now)
        returning id into v_id;
        v_entries := v_entries || v_id;
        assert fail_point('post_transfers:entry');
    end loop;

    perform write_event(
        p_shop_id, 'ledger.posted', p_order_id, jsonb_build_object('entries', to_jsonb(v_entries)), p_now);
end $$;
