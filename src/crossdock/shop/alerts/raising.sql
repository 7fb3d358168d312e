-- Raise an alert in the caller's transaction and write the event `alert.raised`. If an alert of the same kind,
-- order and subject is open, nothing is written. Returns the new alert's id, or null.
create or replace function raise_alert(
    p_shop_id bigint, p_kind text, p_message text, p_order_id bigint, p_now timestamptz, p_subject text default ''
) returns bigint language plpgsql as $$
declare
    v_alert_id bigint;
begin
    -- Checked first, because a conflicting insert would use up an id and wait for the other transaction.
    if exists (
        select 1 from alerts a
        where a.shop_id = p_shop_id and a.kind = p_kind and coalesce(a.order_id, 0) = coalesce(p_order_id, 0)
          and a.subject = p_subject and a.seen_at is null
    ) then
        return null;
    end if;
    insert into alerts (shop_id, kind, message, order_id, subject, created_at)
    values (p_shop_id, p_kind, p_message, p_order_id, p_subject, p_now)
    on conflict do nothing
    returning id into v_alert_id;
    if v_alert_id is not null then
        assert fail_point('raise_alert:raised');
        perform write_event(p_shop_id, 'alert.raised', v_alert_id, jsonb_build_object('alert_kind', p_kind), p_now);
    end if;
    return v_alert_id;
end $$;
