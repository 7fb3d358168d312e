-- The row writes of a reseller's fulfilment of one serial, as one transaction, straight from pgbench: the order with
-- its line, part, event and allocation; the level, the serial, its sale, the stock entry and event; the sale in the
-- ledger, paid from the prepaid balance; the fulfilment and its event. Each client has a variant of its own.
\set variant :low + :client_id
begin;
insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, fulfilment_state, payment_state,
                    release_policy, currency, subtotal_minor, total_minor, billing, shipping, sales_rep_source, source,
                    placed_at, updated_at, paid_at)
    values (:shop, 'wc_order_' || substr(gen_random_uuid()::text, 1, 13), :partner, 'shoppex_reseller',
            gen_random_uuid()::text, 'completed', 'paid', 'placed', 'USD', 1000, 1000, '{"email": "buyer@example.com"}',
            '{"email": "buyer@example.com"}', 'none', 'reseller', now(), now(), now())
    returning id \gset order_
insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                         quantity, unit_price_minor, total_minor, note, state, picked, shipped)
    values (:shop, :order_id, 1, :variant, :variant, 1, 'Product 1', 'SKU-1', '000000000001', 'SC', 1, 1000, 1000, '',
            'shipped', 1, 1);
insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, total_minor)
    values (:shop, :order_id, 1, 'completed', null, 1000, 1000);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'order.placed', 'orders', :order_id,
            '{"partner_id": 1, "state": "completed", "payment_state": "paid"}');
insert into order_allocations (shop_id, order_id, variant_id, pool, quantity, status, shipped)
    values (:shop, :order_id, :variant, 'own', 1, 'shipped', 1);
select 1 from stock_levels where shop_id = :shop and variant_id = :variant and pool = 'own' for no key update;
update serials set sold_at = now() where shop_id = :shop and id = (
        select s.id from serials s where s.shop_id = :shop and s.variant_id = :variant and s.sold_at is null
        order by s.id limit 1 for update)
    returning id as serial \gset
insert into serial_sales (shop_id, serial_id, order_id, line_no, sold_at) values (:shop, :serial, :order_id, 1, now());
update stock_levels set on_hand = on_hand - 1, updated_at = now()
    where shop_id = :shop and variant_id = :variant and pool = 'own';
insert into stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, reason, order_id)
    values (:shop, :variant, 'own', 'ship', -1, 'serials sold', :order_id);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'stock.changed', 'stock', :order_id, '{"levels": [[1, "own", 1]], "reason": "serials sold"}');
update accounts set balance_minor = balance_minor - 1000, updated_at = now()
    where shop_id = :shop and kind = 'prepaid' and owner = 'floor:' || :client_id and currency = 'USD'
    returning id as prepaid, balance_minor as left \gset
update accounts set balance_minor = balance_minor + 1000, updated_at = now()
    where shop_id = :shop and kind = 'sales' and owner = 'merchant-floor' and currency = 'USD'
    returning id as sales, balance_minor as sold \gset
insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency, debit_balance_minor,
                            credit_balance_minor, kind, order_id, created_at)
    values (:shop, :prepaid, :sales, 1000, 'USD', :left, :sold, 'sale', :order_id, now());
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'ledger.posted', 'money', :order_id, '{"entries": [1]}');
insert into reseller_fulfilments (shop_id, reseller_id, order_id, key, external_order_id, product_id, variant_id,
                                  quantity, customer_email, product_name, variant_name, unit_minor, total_minor,
                                  currency, balance_after_minor, created_at)
    values (:shop, :reseller, :order_id, gen_random_uuid()::text, gen_random_uuid()::text, :variant, :variant, 1,
            'buyer@example.com', 'Product 1', 'Product 1', 1000, 1000, 'USD', :left, now());
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'reseller.api_fulfilment_delivered', 'resellers', :order_id,
            '{"reseller_id": 1, "email": "reseller@example.com", "external_order_id": "O-1", "product_id": 1,
              "quantity": 1, "customer_email": "buyer@example.com", "total_minor": 1000, "currency": "USD"}');
commit;
