-- The ledger: double entry, one currency per account, append-only.
-- A balance is credits minus debits: positive for what the shop owes the account's owner or has earned, negative
-- for what it has or is owed. The balances of a currency sum to zero.

-- The chart of accounts: the kinds, and the lowest balance that a kind allows.
create table account_kinds (
    kind text primary key check (kind ~ '^[a-z][a-z_]{1,39}$'),
    floor_minor bigint
);

insert into account_kinds (kind, floor_minor) values
    ('receivable', null), ('clearing', null), ('bank', null), ('sales', null), ('shipping', null),
    ('tax', null), ('refunds', null), ('commission', null), ('prepaid', 0),
    ('reseller_costs', null), ('reseller_pending', 0), ('reseller_available', null), ('reseller_reserved', 0);

create table accounts (
    shop_id bigint not null,
    id bigint generated always as identity,
    kind text not null references account_kinds,
    owner text not null,
    currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
    floor_minor bigint,
    balance_minor bigint not null default 0,
    debited_minor bigint not null default 0,  -- all its debits; its credits are these and the balance
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, kind, owner, currency),
    unique (shop_id, id, currency),
    constraint accounts_floor check (balance_minor >= floor_minor)
) with (fillfactor = 70);

-- One row is both a debit and a credit, so nothing unbalanced can be written; its foreign keys ensure that both
-- accounts have its shop and currency.
create table ledger_entries (
    shop_id bigint not null,
    id bigint generated always as identity,
    debit_account_id bigint not null,
    credit_account_id bigint not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency char(3) not null,
    debit_balance_minor bigint not null,
    credit_balance_minor bigint not null,
    kind text not null check (kind ~ '^[a-z][a-z_]{1,39}$'),
    reason text not null default '',
    order_id bigint,
    payment_id bigint,
    created_at timestamptz not null,
    primary key (shop_id, id),
    constraint ledger_entries_between_two check (debit_account_id <> credit_account_id),
    foreign key (shop_id, debit_account_id, currency) references accounts (shop_id, id, currency),
    foreign key (shop_id, credit_account_id, currency) references accounts (shop_id, id, currency)
);

create index ledger_entries_debit on ledger_entries (shop_id, debit_account_id, id);

create index ledger_entries_credit on ledger_entries (shop_id, credit_account_id, id);

create index ledger_entries_order on ledger_entries (shop_id, order_id) where order_id is not null;

-- Entries of some days, for balances as of a day: they are stored in the order in which they were posted.
create index ledger_entries_posted on ledger_entries using brin (created_at) with (pages_per_range = 16);

create trigger ledger_entries_append_only before update or delete on ledger_entries
    for each row execute function refuse_append_only_change();
