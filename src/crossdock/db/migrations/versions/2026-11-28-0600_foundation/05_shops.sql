create table shops (
    id bigint generated always as identity primary key,
    slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text not null,
    currency char(3) not null,
    country char(2) not null default 'US',
    languages text[] not null default '{en}',
    time_zone text not null default 'UTC' check (time_zone <> ''),  -- of dates and times written without one
    sender jsonb not null default '{}',  -- where the shop's parcels come from, as labels say it
    product_url text not null default '',  -- template of a product's page, with {handle} and {sku}
    logo text not null default '' check (logo ~ '^([0-9a-f]{32}\.(JPEG|PNG))?$'),  -- its image's file, on pages of its buyers
    id_key bytea not null default uuid_send(gen_random_uuid()),  -- of identifiers that give no number away
    suspended_at timestamptz,  -- its partners are refused from then on
    last_sequence bigint not null default 0 check (last_sequence >= 0),
    created_at timestamptz not null default now()
);

create function refuse_append_only_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'CD011';
end $$;
