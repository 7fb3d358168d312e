-- The row writes of an order of two lines, as one transaction, straight from pgbench: a nonce, the
-- order with its identity, lines and part, allocations, stock entries and levels, two events and the delivery.
\set a random(:low, :high - 1)
\set b random(:a + 1, :high)
begin;
insert into nonces (credential_id, nonce, expires_at)
    values (:credential, gen_random_uuid()::text, now() + interval '900 s');
insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, customer_id, fulfilment_state, release_policy, currency,
                    subtotal_minor, total_minor, billing, shipping, sales_rep_id, sales_rep_source, source, placed_at, updated_at)
    select :shop, 'wc_order_' || substr(gen_random_uuid()::text, 1, 13), :partner, 'shoppex_partner',
           gen_random_uuid()::text, c.id, 'processing', 'placed', 'USD', 3998, 3998, c.billing, c.shipping, c.sales_rep_id,
           'stored', 'bench', now(), now()
    from customers c where c.shop_id = :shop and c.id = :customer
    returning id \gset order_
insert into identities (shop_id, namespace, key, order_id, created_at)
    values (:shop, 'partner:' || :partner, gen_random_uuid()::text, :order_id, now());
insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                         quantity, unit_price_minor, total_minor, note)
    values (:shop, :order_id, 1, :a, :a, 1, 'Folding canvas chair number 1', 'SKU-1', '000000000001', 'SC',
            1, 1999, 1999, 'Partner Order ID: 00000000-0000-0000-0000-000000000000'),
           (:shop, :order_id, 2, :b, :b, 1, 'Folding canvas chair number 2', 'SKU-2', '000000000002', 'SC',
            1, 1999, 1999, 'Partner Order ID: 00000000-0000-0000-0000-000000000000');
insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, total_minor)
    values (:shop, :order_id, 1, 'processing', 'hook', 3998, 3998);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'order.placed', 'orders', :order_id,
            '{"partner_id": 1, "state": "processing", "payment_state": "none"}');
insert into deliveries (shop_id, kind, target, subject_id, next_attempt_at, queued_at, updated_at)
    values (:shop, 'floor', 'hook', :order_id, now(), now(), now());
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
