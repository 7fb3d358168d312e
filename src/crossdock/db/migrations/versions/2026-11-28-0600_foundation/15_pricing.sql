create table price_lists (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    name text not null,
    currency char(3) not null,
    primary key (shop_id, id),
    unique (shop_id, name)
);

create table price_list_items (
    shop_id bigint not null,
    price_list_id bigint not null,
    variant_id bigint not null,
    price_minor bigint not null check (price_minor >= 0),
    primary key (shop_id, price_list_id, variant_id),
    foreign key (shop_id, price_list_id) references price_lists (shop_id, id) on delete cascade,
    foreign key (shop_id, variant_id) references variants (shop_id, id) on delete cascade
);
