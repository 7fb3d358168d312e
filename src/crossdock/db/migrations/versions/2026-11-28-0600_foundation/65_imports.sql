-- Imports: the position of each run, so that a killed one resumes there.
create table import_runs (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    format text not null,
    file_hash text not null,
    rows_done bigint not null default 0,
    products bigint not null default 0,
    variants bigint not null default 0,
    refused bigint not null default 0,
    status text not null default 'running' check (status in ('running', 'done', 'failed')),
    started_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (shop_id, id)
);

create index import_runs_file on import_runs (shop_id, file_hash, format);

create table import_refusals (
    shop_id bigint not null,
    run_id bigint not null,
    row_number bigint not null,
    field text not null,
    reason text not null,
    value text not null default '',
    foreign key (shop_id, run_id) references import_runs (shop_id, id) on delete cascade
);

create index import_refusals_run on import_refusals (shop_id, run_id, row_number);

-- What people imported, and what came of it. A run is of a file's content, and may serve several of these.
-- `file` is the name of an uploaded file in the folder of imports, empty where it is not kept there.
create table imports (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    origin text not null check (origin in ('console', 'command')),
    person text not null default '',
    name text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    file text not null default '',
    format text not null,
    merchant text not null default '',
    field_map text not null default '',
    state text not null
        check (state in ('uploaded', 'checking', 'checked', 'importing', 'done', 'failed')),
    read_bytes bigint not null default 0,
    refused bigint not null default 0,
    summary jsonb,
    error text not null default '',
    created_at timestamptz not null,
    changed_at timestamptz not null,
    primary key (shop_id, id)
);

create index imports_files on imports (changed_at) where file <> '';
