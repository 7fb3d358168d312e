-- Planner statistics of the column shop_id, with which every key of a shop's table begins.
-- A table that was last analysed among many small shops makes the planner expect a new shop to be just as small. It then
-- takes the part of an index before the second column for selective enough, so each look-up reads the whole shop, and
-- the cost of a page grows with the square of the shop. Told that there are two shops, it expects each to be large and
-- looks up by the whole key. One most common value is kept: a complete list would leave no rows for a new shop.
do $$
declare
    tenant_table record;
begin
    for tenant_table in
        select c.oid::regclass as name, c.relname, c.reltuples > 0 as is_analysed from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
          and a.attname = 'shop_id' and not a.attisdropped
    loop
        execute format('alter table %s alter column shop_id set (n_distinct = 2), '
                       'alter column shop_id set statistics 1', tenant_table.name);
        if tenant_table.is_analysed then
            execute format('analyze %s (shop_id)', tenant_table.name);
        elsif to_regproc('pg_restore_attribute_stats') is not null then
            perform pg_restore_attribute_stats(
                'schemaname', current_schema()::text, 'relname', tenant_table.relname::text, 'attname', 'shop_id',
                'inherited', false, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', 2::real);
        end if;
    end loop;
end
$$;
