-- The orders of a partner that changed after number p_after of the shop's feed: each once, with the number of its
-- newest change, in the order of these numbers, at most p_limit. A change is an event that can alter how far a line
-- is (see standing.py), or where the order goes. Numbers are given after the commit and one after another, so
-- whoever continues from the highest number that it was told skips no change; an order comes again only after
-- another one.
create or replace function changed_orders(
    p_shop_id bigint, p_partner_id bigint, p_after bigint, p_limit bigint
) returns table (order_id bigint, sequence bigint) language plpgsql stable set enable_seqscan = off as $$
#variable_conflict use_column
begin
    return query
    select e.subject_id, e.sequence from events e
    where e.shop_id = p_shop_id and e.sequence > p_after and e.topic = 'orders' and alters_feed(e.kind, e.payload)
      and exists (
          select 1 from orders o
          where o.shop_id = e.shop_id and o.id = e.subject_id and o.partner_id = p_partner_id)
      and not exists (
          select 1 from events later
          where later.shop_id = e.shop_id and later.topic = 'orders' and later.subject_id = e.subject_id
            and later.sequence > e.sequence and alters_feed(later.kind, later.payload))
    order by e.sequence limit p_limit;
end $$;

create or replace function alters_feed(p_kind text, p_payload jsonb) returns boolean language sql immutable as $$
    select case when p_kind = 'dispatch.failed' then (p_payload ->> 'final')::boolean
           else p_kind in ('order.placed', 'order.picked', 'order.unpicked', 'order.lines_moved', 'order.shipped',
                           'order.completed', 'order.cancelled', 'order.address_changed', 'dispatch.sent') end
$$;
