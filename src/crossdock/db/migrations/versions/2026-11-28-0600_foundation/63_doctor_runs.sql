-- What `crossdock doctor` found, run by run: how many values it looked at and how many differ, by check.
create table doctor_runs (
    id bigint generated always as identity primary key,
    checks jsonb not null,
    looked_at bigint not null check (looked_at >= 0),
    differences bigint not null check (differences >= 0),
    done_at timestamptz not null
);
