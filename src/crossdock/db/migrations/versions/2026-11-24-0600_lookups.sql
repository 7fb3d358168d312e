-- How rows are looked up: what the planner thinks of the tenant column, goods by reference.

set local lock_timeout = '5s';

-- Every key of a tenant's table begins with shop_id. Where many small shops were there when a table was
-- last analysed, the planner expects a new shop to be as small, one row say, and takes an index's shop_id
-- alone for as good as the whole key: each look-up then reads all of the shop, and a page costs the square
-- of its size. Told that there are few shops, it expects each to be large and looks up by the whole key;
-- it remembers the largest one by name, not a list that, being complete, would leave nothing for a new one.
do $$
declare
    tenant_table record;
begin
    for tenant_table in
        select c.oid::regclass as name, c.reltuples > 0 as is_analysed from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
          and a.attname = 'shop_id' and not a.attisdropped
    loop
        execute format('alter table %s alter column shop_id set (n_distinct = 2), '
                       'alter column shop_id set statistics 1', tenant_table.name);
        if tenant_table.is_analysed then
            execute format('analyze %s (shop_id)', tenant_table.name);
        end if;
    end loop;
end
$$;

-- Goods are looked up by either reference.
create index variants_sku on variants (shop_id, sku);
create index variants_merchant_sku on variants (shop_id, merchant_sku) where merchant_sku <> '';
