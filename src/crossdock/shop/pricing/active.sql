-- pricing.active_price in SQL: the partner's price list, a running promotion, a running sale, the retail price.
create or replace function active_price(
    listed bigint, promotion bigint, sale bigint, sale_starts_at timestamptz, sale_ends_at timestamptz,
    retail bigint, moment timestamptz
) returns bigint language sql immutable parallel safe as $$
    select coalesce(
        listed,
        promotion,
        case when (sale_starts_at is null or sale_starts_at <= moment)
              and (sale_ends_at is null or moment < sale_ends_at) then sale end,
        retail)
$$;
