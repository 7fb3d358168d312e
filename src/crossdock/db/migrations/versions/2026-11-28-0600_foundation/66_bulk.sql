-- One thing done with many orders by the worker: who wanted it, and what became of each order. `act` is what an audit
-- log calls the work on one of them, with * for the order's number; `note` is a note for each, or why they are cancelled.
create table order_runs (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    action text not null check (action in ('release', 'resend', 'note', 'cancel')),
    note text not null default '',
    refund_reason text,
    state text not null default 'running' check (state in ('running', 'stopped', 'done')),
    orders bigint not null check (orders > 0),
    person_id bigint not null,
    person text not null,
    actor text not null,
    act text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (shop_id, id)
);

create index order_runs_changed on order_runs (changed_at) where state <> 'running';

create table order_run_rows (
    shop_id bigint not null,
    run_id bigint not null,
    order_id bigint not null,
    state text not null default 'due' check (state in ('due', 'done', 'refused')),
    result text not null default '',
    primary key (shop_id, run_id, order_id),
    foreign key (shop_id, run_id) references order_runs (shop_id, id) on delete cascade
);

create index order_run_rows_state on order_run_rows (shop_id, run_id, state, order_id);
