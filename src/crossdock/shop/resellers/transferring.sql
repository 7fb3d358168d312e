-- Lock a relationship's transfer and answer its state; null if the relationship has none such.
create or replace function lock_transfer(p_shop_id bigint, p_reseller_id bigint, p_transfer_id bigint)
returns text language sql as $$
    select t.state from reseller_transfers t
    where t.shop_id = p_shop_id and t.reseller_id = p_reseller_id and t.id = p_transfer_id for no key update
$$;

-- Record that a locked transfer was paid; p_source: 'manual' or 'invoice'. A revoked one stays revoked, and nobody is
-- told.
create or replace function pay_transfer(p_shop_id bigint, p_transfer_id bigint, p_source text, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_paid reseller_transfers;
begin
    update reseller_transfers t
    set state = case t.state when 'revoked' then 'revoked' else 'paid' end,
        payment_source = p_source, paid_at = p_now, updated_at = p_now
    where t.shop_id = p_shop_id and t.id = p_transfer_id and t.paid_at is null
    returning t.* into v_paid;
    assert fail_point('pay_transfer:paid');
    if v_paid.state = 'paid' then
        perform tell_transfer(v_paid, 'reseller.stock_paid', p_now);
    end if;
end $$;

-- Move the goods of a locked, paid transfer from the merchant's pool to the reseller: serials, items, event, and what
-- it is in the ledger. False, with nothing written, if fewer can be sold.
create or replace function allocate_transfer(p_shop_id bigint, p_transfer_id bigint, p_now timestamptz)
returns boolean language plpgsql as $$
declare
    v_transfer reseller_transfers;
    v_serials bigint[];
begin
    select t.* into strict v_transfer from reseller_transfers t
    where t.shop_id = p_shop_id and t.id = p_transfer_id and t.state = 'paid';
    v_serials := draw_serials(p_shop_id, v_transfer.variant_id, v_transfer.quantity, p_transfer_id, p_now);
    if v_serials is null then
        return false;
    end if;
    assert fail_point('allocate_transfer:drawn');
    insert into reseller_items (shop_id, reseller_id, transfer_id, serial_id, created_at)
    select p_shop_id, v_transfer.reseller_id, p_transfer_id, s.id, p_now
    from unnest(v_serials) with ordinality as s (id, place) order by s.place;
    assert fail_point('allocate_transfer:given');
    update reseller_transfers t
    set state = 'allocated', allocated_count = t.quantity, allocated_at = p_now, updated_at = p_now,
        commission_minor = coalesce(commission(p_shop_id, t.merchant_id, t.total_minor), 0)
    where t.shop_id = p_shop_id and t.id = p_transfer_id
    returning t.* into v_transfer;
    assert fail_point('allocate_transfer:moved');
    perform tell_transfer(v_transfer, 'reseller.stock_allocated', p_now);
    assert fail_point('allocate_transfer:told');
    perform post_transfers(
        p_shop_id, transfer_postings(v_transfer, 'stock_sale', v_transfer.total_minor, v_transfer.commission_minor),
        null, p_now);
    return true;
end $$;

-- Revoke a locked transfer. Items that nobody has got go back to the merchant's pool, and what they cost is owed to the
-- reseller; those that were delivered stay.
create or replace function revoke_transfer(p_shop_id bigint, p_transfer_id bigint, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_transfer reseller_transfers;
    v_serials bigint[];
    v_kept bigint;
begin
    update reseller_transfers t set state = 'revoked', revoked_at = p_now, updated_at = p_now
    where t.shop_id = p_shop_id and t.id = p_transfer_id and t.state <> 'revoked'
    returning t.* into v_transfer;
    assert fail_point('revoke_transfer:moved');
    with taken as (
        select i.id, i.serial_id from reseller_items i
        where i.shop_id = p_shop_id and i.transfer_id = p_transfer_id and i.state = 'available'
    ), emptied as (
        update reseller_items i set state = 'revoked', serial_id = null from taken x
        where i.shop_id = p_shop_id and i.id = x.id
    )
    select array_agg(x.serial_id order by x.serial_id) into v_serials from taken x;
    if v_serials is null then
        return;
    end if;
    assert fail_point('revoke_transfer:emptied');
    perform return_serials(p_shop_id, v_transfer.variant_id, v_serials, p_transfer_id, p_now);
    assert fail_point('revoke_transfer:returned');
    v_kept := round(v_transfer.commission_minor::numeric * v_transfer.delivered_count / v_transfer.quantity)::bigint;
    perform post_transfers(
        p_shop_id, transfer_postings(v_transfer, 'stock_return', v_transfer.unit_minor * cardinality(v_serials),
                                     v_transfer.commission_minor - v_kept), null, p_now);
end $$;

-- What goods of a transfer are in the ledger when they go to the reseller ('stock_sale') or come back
-- ('stock_return'): between what the reseller paid in advance and the merchant's sales, with the shop's share of them.
create or replace function transfer_postings(
    p_transfer reseller_transfers, p_kind text, p_amount_minor bigint, p_commission_minor bigint
) returns jsonb language sql immutable as $$
    select jsonb_agg(jsonb_build_object(
        'debit', case p_kind when 'stock_sale' then f.giver else f.taker end,
        'credit', case p_kind when 'stock_sale' then f.taker else f.giver end,
        'amount_minor', f.amount_minor, 'currency', p_transfer.currency, 'kind', p_kind,
        'reason', 'stock transfer ' || p_transfer.id))
    from (select jsonb_build_object('kind', 'sales', 'owner', 'merchant:' || p_transfer.merchant_id) as sales) m
    cross join lateral (values
        (jsonb_build_object('kind', 'receivable', 'owner', 'reseller:' || p_transfer.reseller_id), m.sales,
         p_amount_minor),
        (m.sales, jsonb_build_object('kind', 'commission', 'owner', 'merchant:' || p_transfer.merchant_id),
         p_commission_minor)
    ) f (giver, taker, amount_minor)
$$;
