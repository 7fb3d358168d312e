-- What staff did, on a page or by a command; a row commits with what it tells of. Of no shop where a command served
-- the whole server. `actor` is the person's e-mail at that time, or the system's user who called the command.
create table acts (
    id bigint generated always as identity primary key,
    shop_id bigint,
    person_id bigint,
    actor text not null,
    act text not null,
    subject text not null,
    details jsonb not null default '{}',
    source text not null default '',
    done_at timestamptz not null
);

create index acts_shop on acts (shop_id, id);

create index acts_person on acts (person_id, id) where person_id is not null;

create trigger acts_append_only before update or delete on acts
    for each row execute function refuse_append_only_change();
