-- What each partner that is told of goods without asking was told, and by which version: seconds that grow by one at
-- least with every change. `digest` is of the content that the last change led to; `is_known` once a call arrived.
create table told_goods (
    shop_id bigint not null,
    partner_id bigint not null,
    subject text not null check (subject in ('product', 'variant')),
    subject_id bigint not null,
    digest bytea not null,
    version bigint not null,
    is_known boolean not null default false,
    primary key (shop_id, partner_id, subject, subject_id),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);

-- How far the events up to `upto` are compared where they are about more products than one transaction takes: the
-- products up to `product_id`.
create table told_progress (
    shop_id bigint primary key references shops on delete cascade,
    upto bigint not null,
    product_id bigint not null
);
