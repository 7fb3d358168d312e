-- limits.purchase_limit in SQL: the same decision table, row by row.
-- Nested selects instead of `with`, so that the planner inlines the function and computes only the columns used.
create or replace function stock_limit(
    origin text, managed boolean, status text, own bigint, supplier bigint,
    backorder boolean, own_requires_stock boolean
) returns table (listed boolean, allowed boolean, quantity bigint, shown bigint)
language sql immutable parallel safe rows 1 as $$
    select
        case when backorder then true
             when origin = 'SC' then not own_requires_stock or not managed or total > 0
             else own_of_both end,
        case when backorder or origin = 'SC' then true else own_of_both end,
        case when backorder then null
             when origin = 'SC' then case when managed then greatest(total, 0) end
             when own_of_both then own
             else 0 end,
        case when backorder or origin = 'SC' then case when managed then total end
             when own_of_both then own end
    from (
        select total, origin = '*' and own > 0
                          and coalesce(status, case when not managed or total > 0 then 'instock' else 'outofstock' end)
                              = 'instock' as own_of_both
        from (
            select case when origin = 'SC' then own when origin = '*' then own + supplier else supplier end as total
        ) input
    ) facts
$$;

-- Whether a variant can run out: its stock is managed, it is not sold without stock, and it is not virtual. What is
-- virtual and sold by serials can: `can_run_out` in serials.sql looks for them.
create or replace function is_counted(p_managed boolean, p_sold_without_stock boolean, p_virtual boolean)
returns boolean language sql immutable as $$ select p_managed and not p_sold_without_stock and not p_virtual $$;
