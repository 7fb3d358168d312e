-- The topic of a kind of event, by the part before its dot; null for an unknown one. kinds.py lists the kinds; a
-- test compares. `inventory.moved` (quantities changed, availability did not) is no topic of the catalogue, so that
-- shipping does not invalidate cached listings.
create or replace function event_topic(p_kind text) returns text language sql immutable as $$
    select case split_part(p_kind, '.', 1)
        when 'catalogue' then 'catalogue'
        when 'merchant' then 'catalogue'
        when 'category' then 'catalogue'
        when 'price' then 'price'
        when 'coupon' then 'price'
        when 'stock' then 'stock'
        when 'order' then 'orders'
        when 'payment' then 'orders'
        when 'package' then 'orders'
        when 'return' then 'orders'
        when 'dispatch' then 'orders'
        when 'inventory' then 'orders'
        when 'ledger' then 'money'
        when 'invoice' then 'money'
        when 'ticket' then 'tickets'
        when 'reseller' then 'resellers'
        when 'alert' then 'alerts'
    end
$$;

-- Write an event: the only statement that adds to the feed; answers its id. It gets its number after the commit.
-- p_payload holds what the kind's struct in kinds.py says; null is an empty one. The author is whom the transaction
-- names (db/unit_of_work.py): a person of the staff, or the command line.
create or replace function write_event(
    p_shop_id bigint, p_kind text, p_subject_id bigint, p_payload jsonb, p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_id bigint;
begin
    insert into events (shop_id, kind, topic, subject_id, payload, created_at, author)
    values (p_shop_id, p_kind, event_topic(p_kind), p_subject_id, coalesce(p_payload, '{}'), p_now,
            nullif(current_setting('crossdock.author', true), ''))
    returning id into v_id;
    return v_id;
end $$;
