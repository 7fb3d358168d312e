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

-- Serial numbers recorded while packing; encrypted, with a keyed hash for searches.
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
    unique (shop_id, package_id, happened_at, code, message),
    foreign key (shop_id, package_id) references packages (shop_id, id) on delete cascade
);

-- What a carrier reported stays as it was; packages take it with them.
create trigger checkpoints_append_only before update on checkpoints
    for each row execute function refuse_append_only_change();

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

-- Packages in transit, for the job that polls their carriers.
create index packages_on_the_road on packages (shop_id, id) where state = 'shipped';

-- Labels of parcels without an order.
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
