-- Images that a shop holds: a row for each content, and an id for each owner of it.
-- The checksum is the MD5 of the uploaded bytes, in hexadecimal digits; it names the image in addresses. The digest
-- is their SHA-256, because two images with the same MD5 can be made.
create table image_files (
    shop_id bigint not null references shops on delete cascade,
    checksum char(32) not null check (checksum ~ '^[0-9a-f]{32}$'),
    digest bytea not null,
    place text not null unique,  -- the folder of its files in the store; never used twice
    format text not null check (format in ('JPEG', 'PNG')),
    width integer not null check (width > 0),  -- as it is served: upright
    height integer not null check (height > 0),
    color char(7) not null check (color ~ '^#[0-9A-F]{6}$'),
    size_bytes integer not null check (size_bytes > 0),  -- of the upload
    created_at timestamptz not null,
    primary key (shop_id, checksum)
);

-- An address names no shop.
create index image_files_checksum on image_files (checksum);

create table images (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity (start with 1001),
    partner_id bigint,  -- who uploaded it; null for the shop's own
    checksum char(32) not null,
    is_used boolean not null default false,  -- something refers to it, for ever
    unused_since timestamptz not null,  -- its last upload, or when a product was last seen to show it
    primary key (shop_id, id),
    unique (id),
    unique nulls not distinct (shop_id, partner_id, checksum),
    foreign key (shop_id, checksum) references image_files (shop_id, checksum),
    foreign key (shop_id, partner_id) references partners (shop_id, id) on delete cascade
);

create index images_file on images (shop_id, checksum);

create index images_unused on images (unused_since) where not is_used;

-- Videos that a shop holds. The checksum is the MD5 of the bytes that came, the digest their SHA-256.
create table videos (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity (start with 1001),
    checksum char(32) not null check (checksum ~ '^[0-9a-f]{32}$'),
    digest bytea not null,
    place text not null unique,  -- the folder of its file in the store; never used twice
    width integer not null check (width > 0),  -- upright
    height integer not null check (height > 0),
    duration_ms integer not null check (duration_ms >= 0),
    has_audio boolean not null,
    size_bytes bigint not null check (size_bytes > 0),  -- of what came
    cover_id bigint not null,  -- the image of its first seconds
    state text not null default 'waiting' check (state in ('waiting', 'running', 'ready', 'failed')),
    progress smallint not null default 0 check (progress between 0 and 100),  -- of the renditions, percent
    attempts integer not null default 0,
    due_at timestamptz,  -- when renditions are to be made, or another worker may make them
    error text not null default '',
    hls text unique,  -- the folder of the renditions, of those being made too
    unused_since timestamptz not null,
    created_at timestamptz not null,
    primary key (shop_id, id),
    unique (id),
    unique (shop_id, checksum),
    foreign key (shop_id, cover_id) references images (shop_id, id)
);

create index videos_checksum on videos (checksum);

create index videos_cover on videos (shop_id, cover_id);

create index videos_due on videos (due_at) where due_at is not null;

create index videos_unused on videos (unused_since);

-- Addresses from which images of the shop's own are fetched. Due: to be fetched, or to be told to products that wish it.
create table image_sources (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    digest bytea not null,  -- SHA-256 of the address, of a video's behind a mark
    url text not null,
    is_video boolean not null,
    image_id bigint,  -- what was found there
    video_id bigint,
    failures integer not null default 0,
    due_at timestamptz,  -- null: held, or given up
    error text not null default '',
    primary key (shop_id, id),
    unique (shop_id, digest),
    foreign key (shop_id, image_id) references images (shop_id, id) on delete set null (image_id),
    foreign key (shop_id, video_id) references videos (shop_id, id) on delete set null (video_id)
);

create index image_sources_due on image_sources (due_at) where due_at is not null;

create index image_sources_video on image_sources (shop_id, video_id) where video_id is not null;

create index image_sources_image on image_sources (shop_id, image_id) where image_id is not null;

-- Products that show an address and do not know its image yet.
create table image_wishes (
    shop_id bigint not null,
    source_id bigint not null,
    product_id bigint not null,
    primary key (shop_id, source_id, product_id),
    foreign key (shop_id, source_id) references image_sources (shop_id, id) on delete cascade
);

-- Folders whose files are deleted when the time has come: noted before files are written, so that those of an upload
-- that fails are found, and when the row of an image goes.
create table image_leftovers (
    place text primary key,
    format text not null,
    due_at timestamptz not null
);

create index image_leftovers_due on image_leftovers (due_at);

create function leave_image_files() returns trigger language plpgsql as $$
begin
    insert into image_leftovers (place, format, due_at) values (old.place, old.format, '-infinity');
    return null;
end $$;

create function leave_video_files() returns trigger language plpgsql as $$
begin
    insert into image_leftovers (place, format, due_at)
    select p.place, 'MP4', '-infinity' from (values (old.place), ('videos/hls/' || old.hls)) p (place) where p.place is not null
    on conflict (place) do update set due_at = excluded.due_at;
    return null;
end $$;

create trigger videos_leave after delete on videos
    for each row execute function leave_video_files();

create trigger image_files_leave after delete on image_files
    for each row execute function leave_image_files();
