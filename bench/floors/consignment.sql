-- The row writes of a web shop's order of two lines that is released, as one transaction, straight from
-- pgbench: the order with its identity, lines, part and event; then allocations, stock entries, levels and
-- their event.
\set a random(:low, :high - 1)
\set b random(:a + 1, :high)
begin;
insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, fulfilment_state, release_policy, currency,
                    subtotal_minor, total_minor, billing, shipping, sales_rep_source, source, channel_data, placed_at,
                    updated_at)
    select :shop, 'wc_order_' || substr(gen_random_uuid()::text, 1, 13), :partner, 'shopwedo',
           gen_random_uuid()::text, 'processing', 'when_available', 'USD', 0, 0, c.billing, c.shipping,
           'none', 'bench', '{"created_at": "2026-03-01 09:30:00"}', now(), now()
    from customers c where c.shop_id = :shop and c.id = :customer
    returning id \gset order_
insert into identities (shop_id, namespace, key, order_id, created_at)
    values (:shop, 'partner:' || :partner, gen_random_uuid()::text, :order_id, now());
insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                         quantity, unit_price_minor, total_minor, note)
    values (:shop, :order_id, 1, :a, :a, 1, 'Folding canvas chair number 1', 'SKU-1', '000000000001', 'SC',
            1, 0, 0, ''),
           (:shop, :order_id, 2, :b, :b, 1, 'Folding canvas chair number 2', 'SKU-2', '000000000002', 'SC',
            1, 0, 0, '');
insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, total_minor)
    values (:shop, :order_id, 1, 'processing', null, 0, 0);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'order.placed', 'orders', :order_id,
            '{"partner_id": 1, "state": "processing", "payment_state": "none"}');
insert into order_allocations (shop_id, order_id, variant_id, pool, quantity)
    values (:shop, :order_id, :a, 'own', 1), (:shop, :order_id, :b, 'own', 1);
update stock_levels set committed = committed + 1, updated_at = now()
    where shop_id = :shop and variant_id = :a and pool = 'own';
update stock_levels set committed = committed + 1, updated_at = now()
    where shop_id = :shop and variant_id = :b and pool = 'own';
insert into stock_entries (shop_id, variant_id, pool, kind, committed_delta, reason, order_id)
    values (:shop, :a, 'own', 'commit', 1, 'order placed', :order_id),
           (:shop, :b, 'own', 'commit', 1, 'order placed', :order_id);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'stock.changed', 'stock', :order_id, '{"levels": [[1, "own", 1], [2, "own", 1]], "reason": "order placed"}');
commit;
