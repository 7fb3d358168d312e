-- Enter a request into the sandbox's records, once for each key: its number, whether it is approved, and why not.
-- A known key gets the recorded answer again. An authorisation behaves as p_behaviour says, everything after it as
-- its authorisation. `is_lost`: the answer is entered, and the caller is not to learn it.
-- Sequential scans are off, for the reason given at write_order.
create or replace function enter_sandbox_operation(
    p_shop_id bigint, p_key text, p_reference text, p_action text, p_amount_minor bigint, p_currency text,
    p_behaviour text, p_reason text, p_now timestamptz,
    out number bigint, out approved boolean, out reason text, out is_lost boolean
) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_behaviour text := p_behaviour;
begin
    perform pg_advisory_xact_lock(hashtextextended(p_reference, 0));
    is_lost := false;
    select o.id, o.approved, o.code into number, approved, reason
    from sandbox_operations o where o.shop_id = p_shop_id and o.key = p_key;
    if found then
        return;
    end if;
    if p_action <> 'authorise' then
        select o.behaviour into v_behaviour from sandbox_operations o
        where o.shop_id = p_shop_id and o.reference = p_reference and o.action = 'authorise' limit 1;
        v_behaviour := coalesce(v_behaviour, '');
    end if;
    reason := case when p_reason <> '' then p_reason
                   when p_action <> 'authorise' and v_behaviour = 'refuse_' || p_action then 'processor_declined'
                   else sandbox_refusal(p_shop_id, p_reference, p_action, p_amount_minor) end;
    approved := reason = '';
    is_lost := v_behaviour = 'lose_' || p_action || '_answer';
    insert into sandbox_operations (shop_id, key, reference, action, amount_minor, currency, approved, code, behaviour,
                                    created_at)
    values (p_shop_id, p_key, p_reference, p_action, p_amount_minor, p_currency, approved, reason, v_behaviour, p_now)
    returning id into number;
end $$;

-- Why the records do not allow a request; '' if they do.
create or replace function sandbox_refusal(p_shop_id bigint, p_reference text, p_action text, p_amount_minor bigint)
returns text language sql stable as $$
    select case
        when p_action = 'authorise' then case when s.authorised > 0 then 'already_authorised' else '' end
        when p_amount_minor <= case when p_action = 'refund' then s.captured - s.refunded
                                    when s.closed then 0
                                    else s.authorised end then ''
        else p_action || '_not_covered' end
    from (
        select coalesce(sum(o.amount_minor) filter (where o.action = 'authorise'), 0) as authorised,
               coalesce(sum(o.amount_minor) filter (where o.action = 'capture'), 0) as captured,
               coalesce(sum(o.amount_minor) filter (where o.action = 'refund'), 0) as refunded,
               coalesce(bool_or(o.action in ('capture', 'void')), false) as closed
        from sandbox_operations o
        where o.shop_id = p_shop_id and o.reference = p_reference and o.approved
    ) s
$$;
