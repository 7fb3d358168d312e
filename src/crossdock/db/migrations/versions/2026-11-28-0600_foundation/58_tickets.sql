-- Tickets: what a partner's buyers complain of or ask, and what both sides wrote.

-- The arrows, as in shop/tickets/states.py. An action without an arrow from the ticket's state is refused.
create table ticket_moves (
    action text not null check (action in ('assign', 'answer', 'ask', 'hold', 'solve', 'reply', 'close')),
    from_state text not null,
    to_state text not null,
    primary key (action, from_state)
);

insert into ticket_moves (action, from_state, to_state) values
    ('assign', 'new', 'open'), ('assign', 'open', 'open'), ('assign', 'pending', 'pending'), ('assign', 'hold', 'hold'),
    ('answer', 'open', 'open'), ('answer', 'pending', 'pending'), ('answer', 'hold', 'hold'),
    ('answer', 'solved', 'solved'),
    ('ask', 'open', 'pending'), ('ask', 'pending', 'pending'),
    ('hold', 'open', 'hold'), ('hold', 'pending', 'hold'),
    ('solve', 'new', 'solved'), ('solve', 'open', 'solved'), ('solve', 'pending', 'solved'), ('solve', 'hold', 'solved'),
    ('reply', 'new', 'new'), ('reply', 'open', 'open'), ('reply', 'pending', 'open'), ('reply', 'hold', 'open'),
    ('reply', 'solved', 'open'),
    ('close', 'solved', 'closed');

-- No foreign keys to partners, people and orders: writers would wait for each other at their rows. `crossdock doctor`
-- looks for lines that are no order's of the partner.
create table tickets (
    shop_id bigint not null,
    id bigint generated always as identity (start with 10001),
    partner_id bigint not null,
    kind text not null check (kind in ('exchange', 'refund', 'question')),
    state text not null default 'new',
    reason text not null default '',
    problem_type text check (problem_type in ('refund', 'exchange', 'not_arrived', 'other')),
    item_delivery text check (item_delivery in ('received', 'not_received')),
    first_name text not null,
    last_name text not null,
    email text not null,
    remark text not null default '',
    image_ids bigint[] not null default '{}',
    assignee_id bigint,
    comment_count integer not null default 0 check (comment_count >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,  -- the last move or comment
    primary key (shop_id, id)
);

-- A partner's tickets of a kind, newest first.
create index tickets_partner on tickets (shop_id, partner_id, kind, created_at, id);

-- The staff's list, newest first.
create index tickets_created on tickets (shop_id, created_at, id);

create index tickets_email on tickets (shop_id, lower(email), id);

create index tickets_last_name on tickets (shop_id, lower(last_name) text_pattern_ops);

-- Solved tickets, for the job that closes them.
create index tickets_solved on tickets (updated_at) where state = 'solved';

-- The order lines that a ticket is about.
create table ticket_lines (
    shop_id bigint not null,
    ticket_id bigint not null,
    position smallint not null,
    order_id bigint not null,
    line_no smallint not null,
    primary key (shop_id, ticket_id, position),
    unique (shop_id, ticket_id, order_id, line_no),
    foreign key (shop_id, ticket_id) references tickets (shop_id, id) on delete cascade
);

-- The tickets of an order.
create index ticket_lines_order on ticket_lines (shop_id, order_id);

create table ticket_comments (
    shop_id bigint not null,
    ticket_id bigint not null,
    number integer not null check (number > 0),  -- from 1 within the ticket, without gaps
    id bigint generated always as identity (start with 10001),
    author text not null check (author in ('requester', 'agent')),
    person_id bigint,
    content text not null check (content <> ''),
    created_at timestamptz not null,
    primary key (shop_id, ticket_id, number),
    foreign key (shop_id, ticket_id) references tickets (shop_id, id),
    check (author = 'agent' or person_id is null)
);

create trigger ticket_comments_append_only before update or delete on ticket_comments
    for each row execute function refuse_append_only_change();

-- A second check behind the code: a ticket begins new and makes only allowed moves.
create function refuse_illegal_ticket_move() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and exists (
        select 1 from ticket_moves m where m.from_state = old.state and m.to_state = new.state) then
        return new;
    end if;
    raise exception 'a ticket cannot become %', new.state using errcode = 'CD031';
end $$;

create trigger tickets_begin before insert on tickets for each row
    when (new.state <> 'new') execute function refuse_illegal_ticket_move();
create trigger tickets_move before update of state on tickets for each row
    when (old.state is distinct from new.state) execute function refuse_illegal_ticket_move();
