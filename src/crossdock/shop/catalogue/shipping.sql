-- Whether a product is shipped at all: what is virtual is not. Everything that is asked of shipping asks this.
create or replace function is_shipped(p products) returns boolean language sql immutable parallel safe as $$
    select not p.virtual
$$;

-- Whether its shipping costs the buyer nothing, whatever its own price and its terms are.
create or replace function is_shipped_free(p products) returns boolean language sql immutable parallel safe as $$
    select p.free_shipping or not is_shipped(p)
$$;

-- The only countries that may have it; none are all.
create or replace function countries_served(p products) returns text[] language sql immutable parallel safe as $$
    select case when is_shipped(p) then p.ships_to else '{}' end
$$;
