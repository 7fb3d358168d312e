-- The SQL twin of limits.purchase_limit: the same decision table, row by row.
create or replace function stock_limit(
    origin text, managed boolean, status text, own bigint, supplier bigint,
    backorder boolean, own_requires_stock boolean
) returns table (listed boolean, allowed boolean, quantity bigint, shown bigint)
language sql immutable parallel safe rows 1 as $$
    with input as (
        select case when origin = 'SC' then own when origin = '*' then own + supplier else supplier end as total
    ), facts as (
        select total,
               coalesce(status, case when not managed or total > 0 then 'instock' else 'outofstock' end) as effective
        from input
    )
    select
        case when backorder then true
             when origin = 'SC' then not own_requires_stock or not managed or total > 0
             else origin = '*' and effective = 'instock' and own > 0 end,
        case when backorder or origin = 'SC' then true
             else origin = '*' and effective = 'instock' and own > 0 end,
        case when backorder then null
             when origin = 'SC' then case when managed then greatest(total, 0) end
             when origin = '*' and effective = 'instock' and own > 0 then own
             else 0 end,
        case when backorder or origin = 'SC' then case when managed then total end
             when origin = '*' and effective = 'instock' and own > 0 then own end
    from facts
$$;

-- Whether goods run out: they are counted, sold only while there are some, and things.
create or replace function is_counted(p_managed boolean, p_sold_without_stock boolean, p_virtual boolean)
returns boolean language sql immutable as $$ select p_managed and not p_sold_without_stock and not p_virtual $$;
