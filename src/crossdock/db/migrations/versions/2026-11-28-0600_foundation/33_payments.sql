-- Payments: the requests to a provider and its answers. No card number or security code is stored, only a card's
-- brand and last four digits.
create table payment_moves (
    from_state text not null,
    to_state text not null,
    primary key (from_state, to_state)
);

-- A second check behind the code: a payment begins in a state that '' leads to, and makes only the listed moves.
insert into payment_moves (from_state, to_state) values
    ('', 'asked'), ('', 'captured'),
    ('asked', 'authorised'), ('asked', 'declined'), ('asked', 'abandoned'),
    ('authorised', 'captured'), ('authorised', 'voided'),
    ('captured', 'partially_refunded'), ('captured', 'refunded'), ('partially_refunded', 'refunded');

create table payments (
    shop_id bigint not null,
    id bigint generated always as identity,
    provider text not null,
    reference text not null,  -- our own id, by which the provider is asked
    order_id bigint,
    invoice_id bigint,
    payer text not null,
    state text not null,
    currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor > 0),
    captured_minor bigint not null default 0,
    refunding_minor bigint not null default 0 check (refunding_minor >= 0),
    refunded_minor bigint not null default 0 check (refunded_minor >= 0),
    refund_due_minor bigint not null default 0 check (refund_due_minor >= 0),  -- to be refunded by the next run
    card_brand text not null default '',
    card_last4 text not null default '' check (card_last4 ~ '^([0-9]{4})?$'),
    reason text not null default '',
    capture_at timestamptz,  -- captured from then on, once an order or invoice has it; null: when somebody says so
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (reference, shop_id),  -- shop_id last: decision 0012
    constraint payments_one_subject check (num_nonnulls(order_id, invoice_id) <= 1),
    constraint payments_captured_of_amount check (captured_minor between 0 and amount_minor),
    constraint payments_refunds_of_capture check (refunding_minor + refunded_minor + refund_due_minor <= captured_minor)
) with (fillfactor = 70);

create index payments_order on payments (shop_id, order_id) where order_id is not null;

create index payments_invoice on payments (shop_id, invoice_id) where invoice_id is not null;

-- Authorised payments, for the job that voids those whose order or invoice does not want them, or that have none.
create index payments_authorised on payments (shop_id, id) where state = 'authorised';

-- Payments that are due to be captured, for the job that settles payments.
create index payments_to_capture on payments (capture_at)
    where state = 'authorised' and capture_at is not null and num_nonnulls(order_id, invoice_id) = 1;

-- Payments with a refund that is due, for the job that settles payments.
create index payments_refund_due on payments (shop_id, id) where refund_due_minor > 0;

create function refuse_illegal_payment_move() returns trigger language plpgsql as $$
declare
    v_from text := case when tg_op = 'UPDATE' then old.state else '' end;
begin
    if not exists (select 1 from payment_moves m where m.from_state = v_from and m.to_state = new.state) then
        raise exception 'a payment cannot move from % to %', v_from, new.state using errcode = 'CD010';
    end if;
    return new;
end $$;

create trigger payments_begin before insert on payments
    for each row execute function refuse_illegal_payment_move();

create trigger payments_move before update of state on payments
    for each row when (old.state is distinct from new.state) execute function refuse_illegal_payment_move();

-- Requests to a provider, stored before they are sent; a lost answer is looked up by `key`.
create table payment_attempts (
    shop_id bigint not null,
    id bigint generated always as identity,
    payment_id bigint not null,
    action text not null check (action in ('authorise', 'capture', 'void', 'refund')),
    amount_minor bigint not null check (amount_minor > 0),
    key text not null,
    outcome text not null default 'asked' check (outcome in ('asked', 'done', 'refused')),
    code text not null default '',
    reason text not null default '',
    look_ups integer not null default 0,
    next_look_up_at timestamptz not null,
    asked_at timestamptz not null,
    answered_at timestamptz,
    is_due boolean not null default false,  -- a refund that the payment was due: due again if it is not done
    primary key (shop_id, id),
    unique (key, shop_id),
    foreign key (shop_id, payment_id) references payments (shop_id, id)
);

create index payment_attempts_payment on payment_attempts (shop_id, payment_id);

create index payment_attempts_unanswered on payment_attempts (next_look_up_at) where outcome = 'asked';

-- A payment has one open request at a time, except refunds, each of which reserves its amount.
create unique index payment_attempts_one_at_a_time on payment_attempts (shop_id, payment_id)
    where outcome = 'asked' and action <> 'refund';

-- The sandbox provider's records: the requests that it got, by their keys.
create table sandbox_operations (
    shop_id bigint not null,
    id bigint generated always as identity,
    key text not null,
    reference text not null,
    action text not null,
    amount_minor bigint not null,
    currency char(3) not null,
    approved boolean not null,
    code text not null,
    behaviour text not null,
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (key, shop_id)
);

create index sandbox_operations_reference on sandbox_operations (shop_id, reference);
