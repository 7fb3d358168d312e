-- Open a ticket of a partner and write the event; returns its id.
-- p_ticket: the columns of `tickets` that the partner fills in. p_lines: [[order id, line number], ...].
-- Raises CD030 for a line that is not of one of the partner's orders.
create or replace function open_ticket(
    p_shop_id bigint, p_partner_id bigint, p_ticket jsonb, p_lines jsonb, p_now timestamptz
) returns bigint language plpgsql as $$
declare
    v_id bigint;
begin
    if exists (
        select 1 from jsonb_array_elements(p_lines) as asked (line)
        where not exists (
            select 1 from order_lines l join orders o on o.shop_id = l.shop_id and o.id = l.order_id
            where l.shop_id = p_shop_id and l.order_id = (asked.line ->> 0)::bigint
              and l.line_no = (asked.line ->> 1)::bigint and o.partner_id = p_partner_id)
    ) then
        raise exception 'a line is of no order of the partner' using errcode = 'CD030';
    end if;
    insert into tickets (shop_id, partner_id, kind, reason, problem_type, item_delivery, first_name, last_name,
                         email, remark, image_ids, created_at, updated_at)
    select p_shop_id, p_partner_id, t.kind, t.reason, t.problem_type, t.item_delivery, t.first_name, t.last_name,
           t.email, t.remark, t.image_ids, p_now, p_now
    from jsonb_to_record(p_ticket) as t (
        kind text, reason text, problem_type text, item_delivery text, first_name text, last_name text, email text,
        remark text, image_ids bigint[])
    returning id into v_id;
    assert fail_point('open_ticket:written');
    insert into ticket_lines (shop_id, ticket_id, position, order_id, line_no)
    select p_shop_id, v_id, asked.position, (asked.line ->> 0)::bigint, (asked.line ->> 1)::smallint
    from jsonb_array_elements(p_lines) with ordinality as asked (line, position);
    assert fail_point('open_ticket:lines');
    perform write_event(p_shop_id, 'ticket.opened', v_id,
                        jsonb_build_object('partner_id', p_partner_id, 'ticket_kind', p_ticket ->> 'kind'), p_now);
    return v_id;
end $$;

-- Act on a ticket: lock it, check the arrow of the action, set the state, add the comment, write the events. Nothing
-- else sets a state of tickets or adds a comment.
-- p_action: 'assign' to p_person_id; 'answer', 'ask', 'hold', 'solve' by the agent p_person_id; 'reply' by the
-- requester; 'close'. p_content: the comment, null for none. p_partner_id: null for the staff.
-- Raises CD032 for a ticket that is not there or another partner's, CD033 for a closed one, CD031 for an action that
-- the state does not allow.
create or replace function move_ticket(
    p_shop_id bigint, p_ticket_id bigint, p_partner_id bigint, p_action text, p_person_id bigint, p_content text,
    p_now timestamptz
) returns table (from_state text, to_state text, comment_number integer) language plpgsql as $$
#variable_conflict use_column
declare
    v_ticket tickets;
    v_to text;
    v_author text := case p_action when 'reply' then 'requester' else 'agent' end;
    v_comment_id bigint;
    v_kind text := ticket_event(p_action);
begin
    select t.* into v_ticket from tickets t
    where t.shop_id = p_shop_id and t.id = p_ticket_id and (p_partner_id is null or t.partner_id = p_partner_id)
    for no key update;
    if not found then
        raise exception 'there is no ticket %', p_ticket_id using errcode = 'CD032';
    end if;
    select m.to_state into v_to from ticket_moves m where m.action = p_action and m.from_state = v_ticket.state;
    if v_ticket.state = 'closed' then
        raise exception 'the ticket is closed' using errcode = 'CD033';
    elsif v_to is null then
        raise exception 'a ticket that is % has no %', v_ticket.state, p_action using errcode = 'CD031';
    end if;
    update tickets t
    set state = v_to, updated_at = p_now, comment_count = t.comment_count + (p_content is not null)::integer,
        assignee_id = case p_action when 'assign' then p_person_id else t.assignee_id end
    where t.shop_id = p_shop_id and t.id = p_ticket_id;
    assert fail_point('move_ticket:moved');
    if p_content is not null then
        insert into ticket_comments (shop_id, ticket_id, number, author, person_id, content, created_at)
        values (p_shop_id, p_ticket_id, v_ticket.comment_count + 1, v_author,
                case v_author when 'agent' then p_person_id end, p_content, p_now)
        returning id into v_comment_id;
        assert fail_point('move_ticket:commented');
        perform write_event(p_shop_id, 'ticket.commented', p_ticket_id,
                            jsonb_build_object('partner_id', v_ticket.partner_id, 'comment_id', v_comment_id,
                                               'number', v_ticket.comment_count + 1, 'author', v_author), p_now);
        assert fail_point('move_ticket:told');
    end if;
    if v_kind is not null and (p_action <> 'reply' or v_to <> v_ticket.state) then
        perform write_event(p_shop_id, v_kind, p_ticket_id,
                            jsonb_build_object('from', v_ticket.state, 'to', v_to)
                            || case when p_action = 'assign' then jsonb_build_object('person_id', p_person_id)
                               else '{}' end, p_now);
    end if;
    return query select v_ticket.state, v_to,
                        case when p_content is not null then v_ticket.comment_count + 1 end;
end $$;

-- The kind of an action's event; null for an action that only comments.
create or replace function ticket_event(p_action text) returns text language sql immutable as $$
    select case p_action
        when 'assign' then 'ticket.assigned'
        when 'ask' then 'ticket.asked'
        when 'hold' then 'ticket.held'
        when 'solve' then 'ticket.solved'
        when 'reply' then 'ticket.reopened'
        when 'close' then 'ticket.closed' end
$$;
