-- The row writes of a checkout of two lines, as one transaction, straight from pgbench: the cart is claimed
-- and its stock held; payment and its authorisation; the order with its identity, lines, part, events,
-- delivery and ledger entry, allocations, stock entries and levels; the cart is closed; the payment captured.
-- Sandbox operations are the provider's own books, which are in this database as well. The carts are filled
-- beforehand; bench_carts counts them.
\set a random(:low, :high - 1)
\set b random(:a + 1, :high)
begin;
update carts set claimed_until = now() + interval '120 s', revision = revision + 1
    where shop_id = :shop and id = (select numbered_cart(nextval('bench_carts'))) returning id as cart \gset
with held as (
    insert into holds (shop_id, variant_id, pool, quantity, reference, expires_at)
        values (:shop, :a, 'own', 1, 'checkout', now() + interval '600 s'),
               (:shop, :b, 'own', 1, 'checkout', now() + interval '600 s')
    returning id
) select min(id) as hold_a, max(id) as hold_b from held \gset
update stock_levels set held = held + 1, updated_at = now()
    where shop_id = :shop and variant_id = :a and pool = 'own';
update stock_levels set held = held + 1, updated_at = now()
    where shop_id = :shop and variant_id = :b and pool = 'own';
insert into stock_entries (shop_id, variant_id, pool, kind, held_delta, reason, hold_id)
    values (:shop, :a, 'own', 'hold', 1, 'checkout', :hold_a), (:shop, :b, 'own', 'hold', 1, 'checkout', :hold_b);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'stock.changed', 'stock', null, '{"levels": [[1, "own", 1], [2, "own", 1]], "reason": "checkout"}');
update carts set hold_ids = array[:hold_a, :hold_b]::bigint[] where shop_id = :shop and id = :cart::uuid;
insert into payments (shop_id, provider, reference, payer, state, currency, amount_minor, card_brand, card_last4,
                      capture_at, created_at, updated_at)
    values (:shop, 'sandbox', 'pay_' || gen_random_uuid(), 'partner:' || :partner, 'asked', 'USD', 3998, 'visa', '4242',
            now() + interval '60 s', now(), now())
    returning id as payment, reference \gset
insert into payment_attempts (shop_id, payment_id, action, amount_minor, key, next_look_up_at, asked_at)
    values (:shop, :payment, 'authorise', 3998, gen_random_uuid()::text, now() + interval '60 s', now())
    returning id as attempt \gset
insert into sandbox_operations (shop_id, key, reference, action, amount_minor, currency, approved, code, behaviour,
                                created_at)
    values (:shop, gen_random_uuid()::text, :reference, 'authorise', 3998, 'USD', true, '', 'approve', now());
update payment_attempts set outcome = 'done', code = 'sandbox-1', answered_at = now()
    where shop_id = :shop and id = :attempt;
update payments set state = 'authorised', updated_at = now() where shop_id = :shop and id = :payment;
insert into orders (shop_id, order_key, partner_id, channel, partner_order_id, fulfilment_state, payment_state,
                    release_policy, currency, subtotal_minor, total_minor, billing, shipping, sales_rep_source, source,
                    channel_data, placed_at, updated_at)
    select :shop, 'wc_order_' || substr(gen_random_uuid()::text, 1, 13), :partner, 'shoppable', '', 'processing',
           'authorised', 'placed', 'USD', 3998, 3998, c.billing, c.shipping, 'none', 'shoppable',
           '{"opt_in": false, "cart_id": "00000000-0000-0000-0000-000000000000", "campaign": ""}', now(), now()
    from customers c where c.shop_id = :shop and c.id = :customer
    returning id \gset order_
insert into identities (shop_id, namespace, key, order_id, created_at)
    values (:shop, 'cart', gen_random_uuid()::text, :order_id, now());
insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, upc, origin,
                         quantity, unit_price_minor, total_minor, channel_data)
    values (:shop, :order_id, 1, :a, :a, 1, 'Folding canvas chair number 1', 'SKU-1', '000000000001', 'SC', 1, 1999, 1999,
            '{"url": "", "size": "", "brand": "", "color": "", "image": "", "part_number": "", "merchant_sku": "SKU-1", "product_name": "Folding canvas chair number 1"}'),
           (:shop, :order_id, 2, :b, :b, 1, 'Folding canvas chair number 2', 'SKU-2', '000000000002', 'SC', 1, 1999, 1999,
            '{"url": "", "size": "", "brand": "", "color": "", "image": "", "part_number": "", "merchant_sku": "SKU-2", "product_name": "Folding canvas chair number 2"}');
insert into order_parts (shop_id, order_id, merchant_id, state, route, subtotal_minor, total_minor)
    values (:shop, :order_id, 1, 'processing', 'hook', 3998, 3998);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'order.placed', 'orders', :order_id,
            '{"partner_id": 1, "state": "processing", "payment_state": "authorised"}');
insert into deliveries (shop_id, kind, target, subject_id, next_attempt_at, queued_at, updated_at)
    values (:shop, 'floor', 'hook', :order_id, now(), now(), now());
insert into order_allocations (shop_id, order_id, variant_id, pool, quantity)
    values (:shop, :order_id, :a, 'own', 1), (:shop, :order_id, :b, 'own', 1);
update holds set status = 'committed', closed_at = now() where shop_id = :shop and id in (:hold_a, :hold_b);
update stock_levels set held = held - 1, committed = committed + 1, updated_at = now()
    where shop_id = :shop and variant_id = :a and pool = 'own';
update stock_levels set held = held - 1, committed = committed + 1, updated_at = now()
    where shop_id = :shop and variant_id = :b and pool = 'own';
insert into stock_entries (shop_id, variant_id, pool, kind, held_delta, committed_delta, reason, order_id, hold_id)
    values (:shop, :a, 'own', 'commit', -1, 1, 'order placed', :order_id, :hold_a),
           (:shop, :b, 'own', 'commit', -1, 1, 'order placed', :order_id, :hold_b);
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'stock.changed', 'stock', :order_id, '{"levels": [[1, "own", 1], [2, "own", 1]], "reason": "order placed"}');
update payments set order_id = :order_id, updated_at = now() where shop_id = :shop and id = :payment;
update carts set order_id = :order_id, claimed_until = null, hold_ids = '{}', updated_at = now()
    where shop_id = :shop and id = :cart::uuid;
delete from cart_lines where shop_id = :shop and cart_id = :cart::uuid;
insert into payment_attempts (shop_id, payment_id, action, amount_minor, key, next_look_up_at, asked_at)
    values (:shop, :payment, 'capture', 3998, gen_random_uuid()::text, now() + interval '60 s', now())
    returning id as attempt \gset
insert into sandbox_operations (shop_id, key, reference, action, amount_minor, currency, approved, code, behaviour,
                                created_at)
    values (:shop, gen_random_uuid()::text, :reference, 'capture', 3998, 'USD', true, '', 'approve', now());
update payment_attempts set outcome = 'done', code = 'sandbox-2', answered_at = now()
    where shop_id = :shop and id = :attempt;
update payments set state = 'captured', captured_minor = 3998, updated_at = now() where shop_id = :shop and id = :payment;
update orders set payment_state = 'paid', updated_at = now() where shop_id = :shop and id = :order_id;
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'payment.paid', 'orders', :order_id, '{"to": "paid", "from": "authorised"}');
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
update accounts set balance_minor = balance_minor - 3998, updated_at = now()
    where shop_id = :shop and kind = 'clearing' and owner = 'sandbox' and currency = 'USD'
    returning id as clearing, balance_minor as cleared \gset
update accounts set balance_minor = balance_minor + 3998, updated_at = now()
    where shop_id = :shop and id = :receivable returning balance_minor as owed \gset
insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency, debit_balance_minor,
                            credit_balance_minor, kind, order_id, payment_id, created_at)
    values (:shop, :clearing, :receivable, 3998, 'USD', :cleared, :owed, 'capture', :order_id, :payment, now());
insert into events (shop_id, kind, topic, subject_id, payload)
    values (:shop, 'ledger.posted', 'money', :order_id, '{"entries": [2]}');
commit;
