-- Warehouse work: what was picked, packed, shipped and returned; people who sign in.

set local lock_timeout = '5s';

-- What a channel keeps of an order or a line beyond the core's own columns.
alter table orders add column details jsonb not null default '{}';
alter table order_lines
    add column details jsonb not null default '{}',
    add column picked bigint not null default 0 check (picked >= 0),
    add column shipped bigint not null default 0 check (shipped >= 0),
    add column returned bigint not null default 0 check (returned >= 0),
    add constraint order_lines_picked_of_quantity check (picked <= quantity),
    add constraint order_lines_shipped_of_picked check (shipped <= picked),
    add constraint order_lines_returned_of_shipped check (returned <= shipped);

-- An order's share of a level leaves in parts; what is still committed is quantity - shipped.
alter table order_allocations
    add column shipped bigint not null default 0 check (shipped between 0 and quantity);

-- Where the shop's parcels come from, as labels say it.
alter table shops add column sender jsonb not null default '{}';

-- Goods that wait for stock, oldest first, for the run that releases them.
create index orders_waiting on orders (shop_id, id) where state in ('reserved', 'waiting_for_release');

-- Goods that were released without looking, for the run that takes them back when they are short.
create index orders_released_unseen on orders (shop_id, id)
    where state = 'processing' and details ->> 'released_unseen' = 'true';

create table packages (
    shop_id bigint not null,
    id bigint generated always as identity,
    order_id bigint not null,
    state text not null default 'packed' check (state in ('packed', 'shipped', 'delivered', 'cancelled')),
    carrier text not null default '',
    service text not null default '',
    tracking_number text not null default '',
    tracking_url text not null default '',
    weight_g integer not null default 0 check (weight_g >= 0),
    label_pdf bytea,
    label_zpl text,
    packed_at timestamptz not null,
    shipped_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index packages_order on packages (shop_id, order_id);
create unique index packages_tracking on packages (shop_id, carrier, tracking_number) where tracking_number <> '';

create table package_lines (
    shop_id bigint not null,
    package_id bigint not null,
    line_no smallint not null,
    quantity bigint not null check (quantity > 0),
    primary key (shop_id, package_id, line_no),
    foreign key (shop_id, package_id) references packages (shop_id, id) on delete cascade
);

-- Serial numbers noted while packing; sealed, with a keyed hash to find them by.
create table captured_serials (
    shop_id bigint not null,
    id bigint generated always as identity,
    order_id bigint not null,
    line_no smallint not null,
    variant_id bigint not null,
    sealed bytea not null,
    fingerprint bytea not null,
    captured_at timestamptz not null,
    primary key (shop_id, id),
    foreign key (shop_id, order_id, line_no) references order_lines (shop_id, order_id, line_no) on delete cascade
);
create index captured_serials_line on captured_serials (shop_id, order_id, line_no);
create index captured_serials_fingerprint on captured_serials (shop_id, fingerprint);

create table checkpoints (
    shop_id bigint not null,
    id bigint generated always as identity,
    package_id bigint not null,
    code text not null,
    message text not null default '',
    place text not null default '',
    happened_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, package_id, code, happened_at),
    foreign key (shop_id, package_id) references packages (shop_id, id) on delete cascade
);

create table order_returns (
    shop_id bigint not null,
    id bigint generated always as identity,
    order_id bigint not null,
    state text not null default 'announced' check (state in ('announced', 'received', 'refused')),
    reason text not null default '',
    announced_at timestamptz not null,
    received_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade
);
create index order_returns_order on order_returns (shop_id, order_id);

create table order_return_lines (
    shop_id bigint not null,
    return_id bigint not null,
    line_no smallint not null,
    quantity bigint not null check (quantity > 0),
    reason text not null default '',
    restocked bigint not null default 0 check (restocked between 0 and quantity),
    primary key (shop_id, return_id, line_no),
    foreign key (shop_id, return_id) references order_returns (shop_id, id) on delete cascade
);

-- Packages on the road, for the run that asks their carriers.
create index packages_on_the_road on packages (shop_id, id) where state = 'shipped';

-- Labels for parcels that belong to no order.
create table manual_labels (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    receiver jsonb not null,
    reference text not null default '',
    language text not null,
    weight_g integer not null default 0 check (weight_g >= 0),
    carrier text not null,
    service text not null default '',
    tracking_number text not null,
    tracking_url text not null default '',
    label_pdf bytea,
    label_zpl text,
    person_id bigint,
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, carrier, tracking_number)
);

create table pickup_points (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    carrier text not null,
    code text not null,
    name text not null,
    street text not null default '',
    number text not null default '',
    zip text not null,
    city text not null default '',
    country char(2) not null,
    latitude numeric(9, 6),
    longitude numeric(9, 6),
    hours jsonb not null default '{}',
    enabled boolean not null default true,
    primary key (shop_id, id),
    unique (shop_id, carrier, code)
);
create index pickup_points_zip on pickup_points (shop_id, country, zip) where enabled;

-- Channels whose callers are known by a number draw it here.
create sequence caller_numbers as bigint start with 1;

-- People. A session is known by the hash of its token, a recovery code by its own.
-- An incomplete session has shown the password and still owes the second factor.
create table people (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    email text not null,
    name text not null default '',
    role text not null check (role in ('owner', 'manager', 'warehouse', 'viewer')),
    password_hash text not null,
    totp_sealed bytea,
    totp_last_step bigint not null default 0,
    active boolean not null default true,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz,
    primary key (shop_id, id),
    unique (id)
);
create unique index people_email on people (lower(email));

create table sessions (
    token_hash bytea primary key,
    person_id bigint not null references people (id) on delete cascade,
    csrf_token text not null,
    is_complete boolean not null default false,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_person on sessions (person_id);
create index sessions_expiry on sessions (expires_at);

create table recovery_codes (
    person_id bigint not null references people (id) on delete cascade,
    code_hash bytea not null,
    used_at timestamptz,
    primary key (person_id, code_hash)
);

-- Attempts that have not succeeded, per account and per source; both known by keyed hashes only.
create table sign_in_attempts (
    key_hash bytea primary key,
    failures integer not null check (failures >= 0),
    blocked_until timestamptz not null,
    last_at timestamptz not null
);
create index sign_in_attempts_age on sign_in_attempts (last_at);
