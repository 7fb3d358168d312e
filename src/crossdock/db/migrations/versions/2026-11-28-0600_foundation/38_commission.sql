-- What resellers earn: their embed campaigns, and which relationship or campaign brought an order.

-- A campaign with products or variants is for those, one without any for all that its relationship may sell. Both lists
-- are kept as they were given, whatever becomes of the goods: they are what was reported.
create table embed_campaigns (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    name text not null check (name <> ''),
    status text not null default 'active' check (status in ('active', 'paused', 'revoked')),
    product_ids bigint[] not null default '{}',
    variant_ids bigint[] not null default '{}',
    public_token text not null,
    paused_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, reseller_id, id),
    unique (public_token),
    check ((status = 'revoked') = (revoked_at is not null)),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade
);

create index embed_campaigns_created on embed_campaigns (shop_id, reseller_id, created_at, id);

-- How often a campaign was shown on a page, and followed from there, by day in UTC.
create table embed_campaign_days (
    shop_id bigint not null,
    campaign_id bigint not null,
    day date not null,
    views bigint not null default 0 check (views >= 0),
    clicks bigint not null default 0 check (clicks >= 0),
    primary key (shop_id, campaign_id, day),
    foreign key (shop_id, campaign_id) references embed_campaigns (shop_id, id) on delete cascade
);

-- Which relationship brought an order, and by which campaign if by one. Written with the order, never changed.
create table reseller_attributions (
    shop_id bigint not null,
    order_id bigint not null,
    reseller_id bigint not null,
    campaign_id bigint,
    created_at timestamptz not null,
    primary key (shop_id, order_id),
    foreign key (shop_id, order_id) references orders (shop_id, id) on delete cascade,
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade,
    foreign key (shop_id, reseller_id, campaign_id) references embed_campaigns (shop_id, reseller_id, id)
);

create index reseller_attributions_reseller on reseller_attributions (shop_id, reseller_id);

-- The lines of such an order that earn, at the rate that was agreed when it was placed.
create table reseller_attributed_lines (
    shop_id bigint not null,
    order_id bigint not null,
    line_no smallint not null,
    commission_bp integer not null check (commission_bp between 0 and 10000),
    primary key (shop_id, order_id, line_no),
    foreign key (shop_id, order_id) references reseller_attributions (shop_id, order_id) on delete cascade,
    foreign key (shop_id, order_id, line_no) references order_lines (shop_id, order_id, line_no) on delete cascade
);

-- A line that was sold by a reseller, with its commission as it was when the order was paid. `reversed_minor` of the
-- commission was taken back by refunds, as `refunded_minor` of what it is a share of. Pending until `available_at`; reversed once nothing of it is left.
create table reseller_sales (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    order_id bigint not null,
    line_no smallint not null,
    campaign_id bigint,
    product_id bigint not null,
    variant_id bigint not null,
    quantity bigint not null check (quantity > 0),
    gross_minor bigint not null check (gross_minor >= 0),
    base_minor bigint not null check (base_minor >= 0),
    commission_bp integer not null check (commission_bp between 0 and 10000),
    commission_minor bigint not null check (commission_minor between 0 and base_minor),
    reversed_minor bigint not null default 0 check (reversed_minor between 0 and commission_minor),
    refunded_minor bigint not null default 0 check (refunded_minor between 0 and base_minor),
    currency char(3) not null,
    customer_email text not null,
    status text not null check (status in ('pending', 'approved', 'reversed')),
    available_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (shop_id, id),
    unique (shop_id, order_id, line_no),
    check (status <> 'reversed' or reversed_minor = commission_minor),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade,
    foreign key (shop_id, order_id, line_no)
        references reseller_attributed_lines (shop_id, order_id, line_no) on delete cascade
);

create index reseller_sales_created on reseller_sales (shop_id, reseller_id, created_at, id);

create index reseller_sales_campaign on reseller_sales (shop_id, campaign_id) where campaign_id is not null;

create index reseller_sales_due on reseller_sales (available_at) where status = 'pending';

-- What a reseller asked to be paid, and what became of it. Its amount is reserved until it is completed, or given back
-- when it is rejected or cancelled.
create table reseller_claims (
    shop_id bigint not null,
    id bigint generated always as identity,
    reseller_id bigint not null,
    status text not null default 'pending'
        check (status in ('pending', 'approved', 'rejected', 'completed', 'cancelled')),
    amount_minor bigint not null check (amount_minor > 0),
    currency char(3) not null,
    asset text not null,
    network text not null,
    address text not null,
    note text not null default '',
    reason text not null default '',
    forced boolean not null default false,
    -- Who asked and who approved, by e-mail, where a person did: another one has to take the next step.
    asked_by text not null default '',
    approved_by text not null default '',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    approved_at timestamptz,
    completed_at timestamptz,
    rejected_at timestamptz,
    cancelled_at timestamptz,
    primary key (shop_id, id),
    foreign key (shop_id, reseller_id) references resellers (shop_id, id) on delete cascade
);

create index reseller_claims_created on reseller_claims (shop_id, reseller_id, created_at, id);

create index reseller_claims_open on reseller_claims (created_at) where status in ('pending', 'approved');
