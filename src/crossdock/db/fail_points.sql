-- Fault injection for tests: `assert fail_point('step')` raises CD099 if the setting crossdock.fail_point names that
-- step, to test that a write path is atomic. One stands between every two statements that write, in the SQL of every
-- part. `assert` evaluates an expression, which is cheaper than a statement.
create or replace function break_here(step text) returns boolean language plpgsql as $$
begin
    raise exception 'fail point %', step using errcode = 'CD099';
end $$;
create or replace function fail_point(step text) returns boolean language sql as $$
    select current_setting('crossdock.fail_point', true) is distinct from step or break_here(step)
$$;
