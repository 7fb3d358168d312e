-- The mailbox: every mail that this server wrote, whether an SMTP server sends it on or it stays here to be read by
-- staff. The text is encrypted, since it may hold invitations and goods. `dedupe_key` makes a repeat write nothing.
create table mails (
    shop_id bigint not null references shops on delete cascade,
    id bigint generated always as identity,
    dedupe_key text not null check (char_length(dedupe_key) between 1 and 200),
    template text not null,
    recipient text not null,
    subject text not null,
    sealed bytea not null,
    is_posted boolean not null,
    created_at timestamptz not null,
    primary key (shop_id, id),
    constraint mails_once unique (shop_id, dedupe_key)
);

create index mails_by_age on mails (created_at);

create index mails_to on mails (shop_id, lower(recipient), id);
