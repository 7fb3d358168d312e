-- The row writes of a drop shipper's order of two lines that is placed and then paid, as one transaction, straight
-- from pgbench: the order with its identity, lines as they were sold, part and events; stock levels, entries and
-- allocations; the sale in the ledger. Then the charge: its identity, payment, ledger entry, order and events.
\set a random(:low, :high - 1)
\set b random(:a + 1, :high)
begin;
insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, fulfilment_state, payment_state,
                    release_policy, release_after_s, currency, subtotal_minor, total_minor, billing, shipping,
                    sales_rep_source, source, placed_at, updated_at, expires_at)
    select :shop, 'wc_order_' || substr(gen_random_uuid()::text, 1, 13), :partner, 'shoppo', gen_random_uuid()::text,
           'waiting_for_release', 'awaiting', 'after_payment', 7200, 'USD', 3998, 3998, c.billing, c.shipping, 'none',
           'bench', now(), now(), now() + interval '1 day'
    from customers c where c.shop_id = :shop and c.id = :customer
    returning id \gset order_
insert into identities (shop_id, namespace, key, request_hash, order_id, created_at)
    values (:shop, 'partner:' || :partner, gen_random_uuid()::text, sha256('a request'), :order_id, now());
insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                         quantity, unit_price_minor, total_minor, as_sold)
    select :shop, :order_id, x.line_no, x.id, x.id, 1, 'Folding canvas chair number 1', 'SKU-1', '000000000001', 'SC', 1,
           1999, 1999, json_build_object(
               'id', x.id, 'name', 'Folding canvas chair number 1', 'tags', '[]'::json, 'brand', '', 'video', null,
               'handle', 'a1', 'images', '[]'::json, 'enabled', true, 'features', '[]'::json, 'merchant', 'Main',
               'ships_to', '[]'::json, 'attributes', '{}'::json, 'categories', '[]'::json, 'description', '',
               'created_at', '2026-11-29T18:18:35.287331Z', 'updated_at', '2026-11-29T18:18:35.287331Z',
               'merchant_id', 1, 'own_enabled', true, 'target_users', 'unknown', 'free_shipping', false,
               'shipping_days', null, 'shipping_terms', '[]'::json, 'shipping_each_minor', 0,
               'variants', json_build_array(json_build_object(
                   'id', x.id, 'sku', 'SKU-1', 'upc', '000000000001', 'name', 'Folding canvas chair number 1',
                   'image', null, 'enabled', true, 'options', '{}'::json, 'quantity', 999999, 'weight_g', 0,
                   'width_mm', null, 'height_mm', null, 'length_mm', null, 'attributes', '{}'::json,
                   'created_at', '2026-11-29T18:18:35.287331Z', 'updated_at', '2026-11-29T18:18:35.287331Z',
                   'own_enabled', true, 'price_minor', 1999, 'retail_minor', 1999)))::jsonb
    from (values (1, :a::bigint), (2, :b::bigint)) x (line_no, id);
insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, total_minor)
    values (:shop, :order_id, 1, 'waiting_for_release', 'hook', 3998, 3998);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'order.placed', 'orders', :order_id,
            '{"partner_id": 1, "state": "waiting_for_release", "payment_state": "awaiting"}');
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
update accounts set balance_minor = balance_minor - 3998, updated_at = now()
    where shop_id = :shop and kind = 'receivable' and owner = 'partner:' || :partner and currency = 'USD'
    returning id as receivable, balance_minor as owed \gset
update accounts set balance_minor = balance_minor + 3998, updated_at = now()
    where shop_id = :shop and kind = 'sales' and owner = 'merchant:1' and currency = 'USD'
    returning id as sales, balance_minor as sold \gset
insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency, debit_balance_minor,
                            credit_balance_minor, kind, order_id, created_at)
    values (:shop, :receivable, :sales, 3998, 'USD', :owed, :sold, 'sale', :order_id, now());
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'ledger.posted', 'money', :order_id, '{"entries": [1]}');
insert into identities (shop_id, namespace, key, order_id, created_at)
    values (:shop, 'charge:' || :partner, gen_random_uuid()::text, :order_id, now());
insert into payments (shop_id, order_id, provider, reference, payer, state, currency, amount_minor, captured_minor,
                      created_at, updated_at)
    values (:shop, :order_id, 'partner', 'partner:1:' || gen_random_uuid(), 'partner:' || :partner, 'captured', 'USD', 3998,
            3998, now(), now())
    returning id as payment \gset
update orders set payment_state = 'paid', paid_at = now(), release_at = now() + interval '2 hours', updated_at = now()
    where shop_id = :shop and id = :order_id;
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'payment.paid', 'orders', :order_id, '{"to": "paid", "from": "awaiting"}');
update accounts set balance_minor = balance_minor - 3998, updated_at = now()
    where shop_id = :shop and kind = 'clearing' and owner = 'partner' and currency = 'USD'
    returning id as clearing, balance_minor as cleared \gset
update accounts set balance_minor = balance_minor + 3998, updated_at = now()
    where shop_id = :shop and id = :receivable returning balance_minor as owed \gset
insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency, debit_balance_minor,
                            credit_balance_minor, kind, order_id, payment_id, reason, created_at)
    values (:shop, :clearing, :receivable, 3998, 'USD', :cleared, :owed, 'capture', :order_id, :payment,
            'partner:1:' || gen_random_uuid(), now());
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'ledger.posted', 'money', :order_id, '{"entries": [2]}');
commit;
