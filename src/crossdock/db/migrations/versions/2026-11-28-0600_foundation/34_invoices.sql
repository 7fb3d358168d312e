-- Invoices: amounts that are asked for without goods of an order behind them. What a payment of one is credited to is
-- chosen when it is made, so that completing one and crediting it are one transaction.
create table invoice_moves (
    from_state text not null,
    to_state text not null,
    primary key (from_state, to_state)
);

-- A second check behind the code; '' is before the first state. `confirming`: a card's payment is authorised for it.
insert into invoice_moves (from_state, to_state) values
    ('', 'pending'), ('pending', 'confirming'), ('confirming', 'pending'), ('pending', 'completed'),
    ('confirming', 'completed'), ('pending', 'voided'), ('confirming', 'voided'),
    ('completed', 'partially_refunded'), ('completed', 'refunded'), ('partially_refunded', 'refunded');

-- `token` is in the address of the page where it is paid. `payment_id` is the payment that pays it, or paid it.
-- `paid_late_at`: money came in after it was voided. `metadata` is the asker's own.
create table invoices (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    token text not null,
    purpose text not null check (purpose in ('payment', 'stock_transfer', 'top_up')),
    subject_id bigint,
    title text not null,
    quantity bigint not null check (quantity > 0),
    unit_minor bigint not null check (unit_minor >= 0),
    total_minor bigint not null check (total_minor = unit_minor * quantity),
    currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
    email text not null,
    state text not null,
    void_reason text not null default '' check (void_reason in ('', 'by_hand', 'expired')),
    proceeds_kind text not null references account_kinds,
    proceeds_owner text not null,
    payment_id bigint,
    note text not null default '',
    return_url text not null default '',
    cancel_url text not null default '',
    metadata jsonb not null default '{}',
    is_test boolean not null default false,
    expires_at timestamptz,
    paid_at timestamptz,
    paid_late_at timestamptz,
    voided_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (token),
    foreign key (shop_id, payment_id) references payments (shop_id, id),
    constraint invoices_voided check ((state = 'voided') = (void_reason <> '')),
    constraint invoices_voided_at check ((state = 'voided') = (voided_at is not null)),
    constraint invoices_paid check ((state in ('completed', 'partially_refunded', 'refunded')) = (paid_at is not null)),
    constraint invoices_late check (paid_late_at is null or state = 'voided')
) with (fillfactor = 70);

create index invoices_created on invoices (shop_id, created_at, id);

create index invoices_email on invoices (shop_id, lower(email), id);

create index invoices_subject on invoices (shop_id, purpose, subject_id, id) where subject_id is not null;

-- Invoices that run out, for the job that voids them.
create index invoices_expiring on invoices (expires_at) where state = 'pending' and expires_at is not null;

create function refuse_illegal_invoice_move() returns trigger language plpgsql as $$
declare
    v_from text := case when tg_op = 'UPDATE' then old.state else '' end;
begin
    if not exists (select 1 from invoice_moves m where m.from_state = v_from and m.to_state = new.state) then
        raise exception 'an invoice cannot move from % to %', v_from, new.state using errcode = 'CD010';
    end if;
    return new;
end $$;

create trigger invoices_begin before insert on invoices
    for each row execute function refuse_illegal_invoice_move();

create trigger invoices_move before update of state on invoices
    for each row when (old.state is distinct from new.state) execute function refuse_illegal_invoice_move();
