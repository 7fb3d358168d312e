"""Recompute stored values from their sources and report every difference; none are expected."""

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.shop.doctor_of_resellers import RESELLER_CHECKS


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value that differs from the recomputed one."""

    check: str
    where: str
    expected: str
    found: str


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check: the number of rows checked, and the differences."""

    check: str
    looked_at: int
    differences: tuple[Difference, ...]


_LEVELS = """
    with sums as (
        select shop_id, variant_id, pool, sum(on_hand_delta) as on_hand, sum(held_delta) as held,
               sum(committed_delta) as committed
        from stock_entries group by shop_id, variant_id, pool
    )
    select format('shop %s variant %s pool %s', shop_id, variant_id, pool),
           format('on hand %s, held %s, committed %s', coalesce(s.on_hand, 0), coalesce(s.held, 0),
                  coalesce(s.committed, 0)),
           format('on hand %s, held %s, committed %s', coalesce(l.on_hand, 0), coalesce(l.held, 0),
                  coalesce(l.committed, 0)),
           (coalesce(s.on_hand, 0), coalesce(s.held, 0), coalesce(s.committed, 0))
           is distinct from (coalesce(l.on_hand, 0), coalesce(l.held, 0), coalesce(l.committed, 0)) as wrong
    from stock_levels l full join sums s using (shop_id, variant_id, pool)
"""

_HELD = """
    with sums as (
        select shop_id, variant_id, pool, sum(quantity) as held from holds where status = 'held'
        group by shop_id, variant_id, pool
    )
    select format('shop %s variant %s pool %s', shop_id, variant_id, pool),
           coalesce(s.held, 0)::text, l.held::text, coalesce(s.held, 0) <> l.held as wrong
    from stock_levels l left join sums s using (shop_id, variant_id, pool)
"""

_COMMITTED = """
    with sums as (
        select shop_id, variant_id, pool, sum(quantity - shipped) as committed from order_allocations
        where status = 'committed' group by shop_id, variant_id, pool
    )
    select format('shop %s variant %s pool %s', shop_id, variant_id, pool),
           coalesce(s.committed, 0)::text, l.committed::text, coalesce(s.committed, 0) <> l.committed as wrong
    from stock_levels l left join sums s using (shop_id, variant_id, pool)
"""

_TOTALS = """
    select format('shop %s order %s', o.shop_id, o.id), sums_of(l.goods, l.discount, l.tax, l.shipping),
           sums_of(o.subtotal_minor, o.discount_minor, o.tax_minor, o.shipping_minor),
           (l.goods, l.discount, l.tax, l.shipping)
           is distinct from (o.subtotal_minor, o.discount_minor, o.tax_minor, o.shipping_minor) as wrong
    from orders o left join (
        select shop_id, order_id, sum(unit_price_minor * quantity) as goods, sum(discount_minor) as discount,
               sum(tax_minor) as tax, sum(shipping_minor) as shipping
        from order_lines group by shop_id, order_id
    ) l on l.shop_id = o.shop_id and l.order_id = o.id
""".replace("sums_of(", "format('goods %s, discount %s, tax %s, shipping %s', ")

_PARTS = """
    select format('shop %s order %s merchant %s', shop_id, order_id, merchant_id), l.total::text,
           p.total_minor::text, l.total is distinct from p.total_minor as wrong
    from order_parts p full join (
        select shop_id, order_id, merchant_id, sum(total_minor) as total
        from order_lines group by shop_id, order_id, merchant_id
    ) l using (shop_id, order_id, merchant_id)
"""

_ALLOCATED = """
    select format('shop %s order %s variant %s', shop_id, order_id, variant_id),
           format('at most %s', coalesce(l.quantity, 0)), a.quantity::text,
           a.quantity > coalesce(l.quantity, 0) as wrong
    from (select shop_id, order_id, variant_id, sum(quantity) as quantity from order_allocations
          group by shop_id, order_id, variant_id) a
    left join (select shop_id, order_id, variant_id, sum(quantity) as quantity from order_lines
               group by shop_id, order_id, variant_id) l using (shop_id, order_id, variant_id)
"""

_CANCELLED = """
    select format('shop %s order %s', o.shop_id, o.id), 'nothing committed',
           'goods committed', exists (
               select 1 from order_allocations a
               where a.shop_id = o.shop_id and a.order_id = o.id and a.status = 'committed') as wrong
    from orders o where o.fulfilment_state in ('shipped', 'completed', 'cancelled')
"""

_OVER = """
    select format('shop %s order %s line %s', o.shop_id, o.id, l.line_no),
           format('%s shipped or cancelled', case when o.fulfilment_state in ('shipped', 'completed', 'cancelled')
                  then l.quantity else l.shipped end),
           format('%s shipped or cancelled', l.shipped + l.cancelled),
           case when o.fulfilment_state in ('shipped', 'completed', 'cancelled')
                then l.shipped + l.cancelled <> l.quantity
                else l.cancelled > 0 and l.state <> 'cancelled' end as wrong
    from orders o join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
"""

# Units without a package were serials, delivered when the order was placed, or are not shipped.
_SHIPPED = """
    select format('shop %s order %s line %s', shop_id, order_id, line_no),
           format('shipped %s, picked at least %s', coalesce(p.gone, s.sold, 0), coalesce(p.packed, s.sold, 0)),
           format('shipped %s, picked %s', l.shipped, l.picked),
           case when (l.virtual or l.release_policy = 'delivered') and coalesce(p.packed, s.sold) is null
                then l.picked <> l.shipped
                else l.shipped <> coalesce(p.gone, s.sold, 0) or l.picked < coalesce(p.packed, s.sold, 0) end as wrong
    from (
        select x.*, o.release_policy from order_lines x join orders o on o.shop_id = x.shop_id and o.id = x.order_id
    ) l left join (
        select k.shop_id, k.order_id, kl.line_no, sum(kl.quantity) as packed,
               coalesce(sum(kl.quantity) filter (where k.state in ('shipped', 'delivered')), 0) as gone
        from packages k join package_lines kl on kl.shop_id = k.shop_id and kl.package_id = k.id
        where k.state <> 'cancelled' group by k.shop_id, k.order_id, kl.line_no
    ) p using (shop_id, order_id, line_no)
    left join (
        select b.shop_id, b.order_id, b.line_no, count(*) as sold
        from serial_sales b join serials x on x.shop_id = b.shop_id and x.id = b.serial_id
        where x.replaced_at is null group by b.shop_id, b.order_id, b.line_no
    ) s using (shop_id, order_id, line_no)
"""

_SEQUENCES = """
    select format('shop %s', s.id), format('%s numbers, the last %s', s.last_sequence, s.last_sequence),
           format('%s numbers, the last %s', count(e.sequence), coalesce(max(e.sequence), 0)),
           count(e.sequence) <> s.last_sequence or coalesce(max(e.sequence), 0) <> s.last_sequence as wrong
    from shops s left join events e on e.shop_id = s.id and e.sequence is not null
    group by s.id, s.last_sequence
"""

_TOPICS = """
    select format('shop %s topic %s', shop_id, topic), format('%s events', coalesce(e.count, 0)),
           format('%s events', coalesce(t.numbered, 0)), e.count is distinct from t.numbered as wrong
    from event_topics t full join (
        select shop_id, topic, count(*) from events where sequence is not null group by shop_id, topic
    ) e using (shop_id, topic)
"""

_PARTNERS = """
    select format('shop %s order %s', o.shop_id, o.id), 'a partner of the shop',
           format('partner %s', o.partner_id), o.partner_id is not null and p.id is null as wrong
    from orders o left join partners p on p.shop_id = o.shop_id and p.id = o.partner_id
"""

_EVENTS = """
    select format('shop %s order %s', o.shop_id, o.id), '1 order.placed event',
           format('%s', count(e.id)), count(e.id) <> 1 as wrong
    from orders o left join events e
      on e.shop_id = o.shop_id and e.kind = 'order.placed' and e.subject_id = o.id
    group by o.shop_id, o.id
"""

_ORPHANS = """
    select format('shop %s delivery %s', d.shop_id, d.id), 'an order of the shop',
           format('order %s', d.subject_id), o.id is null as wrong
    from deliveries d left join orders o on o.shop_id = d.shop_id and o.id = d.subject_id
    where d.kind = 'dispatch'
"""

# An expired claim is requeued within a minute; an hour later, no worker can be running.
_STUCK = """
    select format('shop %s delivery %s to %s', shop_id, id, target), 'sent on, or queued again',
           format('claimed until %s', next_attempt_at), next_attempt_at < now() - interval '1 hour' as wrong
    from deliveries where status = 'sending'
"""

_VARIANTS = """
    select format('shop %s variant %s pool %s', l.shop_id, l.variant_id, l.pool), 'a variant of the shop',
           'none', v.id is null as wrong
    from stock_levels l left join variants v on v.shop_id = l.shop_id and v.id = l.variant_id
"""

_CATEGORIES = """
    select format('shop %s category %s', c.shop_id, c.id),
           array_to_string(coalesce(p.id_path, '{}') || c.id, '/'), array_to_string(c.id_path, '/'),
           c.id_path is distinct from coalesce(p.id_path, '{}') || c.id
           or c.depth <> cardinality(c.id_path) as wrong
    from categories c left join categories p on p.shop_id = c.shop_id and p.id = c.parent_id
"""

_BALANCES = "select * from ledger_balances(null)"
_DEBITS = "select * from ledger_debits(null)"
_RUNNING_BALANCES = "select * from ledger_running(null)"
_ZERO_SUMS = "select * from ledger_sums(null)"

_SERIALS = """
    select format('shop %s variant %s', s.shop_id, s.variant_id), coalesce(l.on_hand, 0)::text, s.unsold::text,
           s.unsold <> coalesce(l.on_hand, 0) as wrong
    from (select shop_id, variant_id, count(*) filter (where sold_at is null) as unsold from serials
          group by shop_id, variant_id) s
    left join stock_levels l on l.shop_id = s.shop_id and l.variant_id = s.variant_id and l.pool = 'own'
"""

_SERIAL_SALES = """
    select format('shop %s serial %s', s.shop_id, s.id),
           format('%s buyers', (s.sold_at is not null and s.claimed_at is null)::int),
           format('%s buyers', num_nonnulls(b.serial_id, i.serial_id)),
           (s.sold_at is not null and s.claimed_at is null)::int <> num_nonnulls(b.serial_id, i.serial_id) as wrong
    from serials s left join serial_sales b on b.shop_id = s.shop_id and b.serial_id = s.id
    left join reseller_items i on i.shop_id = s.shop_id and i.serial_id = s.id
"""

_PAYMENTS = """
    select format('shop %s payment %s', p.shop_id, p.id),
           format('captured %s, refunding %s, refunded %s', case when p.provider in ('transfer', 'partner')
                  then p.captured_minor
                  else coalesce(a.captured, 0) end, coalesce(a.refunding, 0), coalesce(a.refunded, 0)),
           format('captured %s, refunding %s, refunded %s', p.captured_minor, p.refunding_minor, p.refunded_minor),
           p.provider not in ('transfer', 'partner') and p.captured_minor <> coalesce(a.captured, 0)
           or p.refunding_minor <> coalesce(a.refunding, 0) or p.refunded_minor <> coalesce(a.refunded, 0) as wrong
    from payments p left join (
        select shop_id, payment_id,
               sum(amount_minor) filter (where action = 'capture' and outcome = 'done') as captured,
               sum(amount_minor) filter (where action = 'refund' and outcome = 'asked') as refunding,
               sum(amount_minor) filter (where action = 'refund' and outcome = 'done') as refunded
        from payment_attempts group by shop_id, payment_id
    ) a on a.shop_id = p.shop_id and a.payment_id = p.id
"""

_POSTED = """
    select format('shop %s payment %s', p.shop_id, p.id),
           format('captured %s, refunded %s', coalesce(e.captured, 0), coalesce(e.refunded, 0)),
           format('captured %s, refunded %s', p.captured_minor, p.refunded_minor),
           p.captured_minor <> coalesce(e.captured, 0) or p.refunded_minor <> coalesce(e.refunded, 0) as wrong
    from payments p left join (
        select shop_id, payment_id, sum(amount_minor) filter (where kind = 'capture') as captured,
               sum(amount_minor) filter (where kind = 'refund') as refunded
        from ledger_entries where payment_id is not null group by shop_id, payment_id
    ) e on e.shop_id = p.shop_id and e.payment_id = p.id
"""

# What is cancelled of a sale is taken back where it was not paid, or went back to a prepaid account; elsewhere it may
# have been refunded instead.
_TAKEN_BACK = """
    select format('shop %s order %s', o.shop_id, o.id),
           format('%s%s taken back', case when o.payment_state in ('paid', 'partially_refunded', 'refunded')
                                     then 'at most ' else '' end, c.cancelled_minor),
           format('%s of %s taken back', e.taken_back, e.sold),
           e.sold <> o.total_minor or e.taken_back > c.cancelled_minor
           or e.taken_back <> c.cancelled_minor
              and o.payment_state in ('awaiting', 'authorised', 'voided', 'expired') as wrong
    from orders o join (
        select shop_id, order_id,
               coalesce(sum(amount_minor) filter (where kind in ('sale', 'shipping', 'tax')), 0) as sold,
               coalesce(sum(amount_minor) filter (
                   where kind in ('sale_taken_back', 'shipping_taken_back', 'tax_taken_back')), 0) as taken_back
        from ledger_entries
        where kind in ('sale', 'shipping', 'tax', 'sale_taken_back', 'shipping_taken_back', 'tax_taken_back')
          and order_id is not null
        group by shop_id, order_id
    ) e on e.shop_id = o.shop_id and e.order_id = o.id
    cross join lateral (
        select case when exists (select 1 from order_lines l
                                 where l.shop_id = o.shop_id and l.order_id = o.id and l.cancelled > 0)
               then cancelled_total(o.shop_id, o.id) else 0 end as cancelled_minor
    ) c
"""

_TICKET_LINES = """
    select format('shop %s ticket %s', t.shop_id, t.id), 'lines of the partner''s orders',
           format('order %s line %s', k.order_id, k.line_no), o.partner_id is distinct from t.partner_id as wrong
    from ticket_lines k join tickets t on t.shop_id = k.shop_id and t.id = k.ticket_id
    left join order_lines l on l.shop_id = k.shop_id and l.order_id = k.order_id and l.line_no = k.line_no
    left join orders o on o.shop_id = l.shop_id and o.id = l.order_id
"""

_TICKET_COMMENTS = """
    select format('shop %s ticket %s', t.shop_id, t.id), format('%s comments, the last %s', t.comment_count,
           t.comment_count), format('%s comments, the last %s', count(c.number), coalesce(max(c.number), 0)),
           count(c.number) <> t.comment_count or coalesce(max(c.number), 0) <> t.comment_count as wrong
    from tickets t left join ticket_comments c on c.shop_id = t.shop_id and c.ticket_id = t.id
    group by t.shop_id, t.id
"""

_COUPONS = """
    select format('shop %s coupon %s', c.shop_id, c.id), (c.used_base + coalesce(u.uses, 0))::text,
           c.used_count::text, c.used_count <> c.used_base + coalesce(u.uses, 0) as wrong
    from coupons c left join (
        select shop_id, coupon_id, count_no, count(*) as uses from coupon_uses where released_at is null
        group by shop_id, coupon_id, count_no
    ) u on u.shop_id = c.shop_id and u.coupon_id = c.id and u.count_no = c.count_no
"""

_INVOICES = """
    select format('shop %s invoice %s', i.shop_id, i.id),
           format('paid %s', case when i.paid_at is null then 0 else i.total_minor end),
           format('paid %s', case when i.paid_at is null then coalesce(e.credited, 0)
                             else coalesce(p.captured_minor, 0) end),
           case when i.paid_at is null then coalesce(e.credited, 0) <> 0
                else (coalesce(p.captured_minor, 0), coalesce(e.credited, 0)) <> (i.total_minor, i.total_minor)
           end as wrong
    from invoices i left join payments p
      on p.shop_id = i.shop_id and p.id = i.payment_id and p.invoice_id = i.id
    left join (
        select l.shop_id, a.owner, sum(l.amount_minor) as credited
        from ledger_entries l join accounts a on a.shop_id = l.shop_id and a.id = l.debit_account_id
        join accounts c on c.shop_id = l.shop_id and c.id = l.credit_account_id and c.kind <> 'refunds'
        where l.kind = 'invoice' and a.kind = 'receivable' group by l.shop_id, a.owner
    ) e on e.shop_id = i.shop_id and e.owner = 'invoice:' || i.id
"""

CHECKS = {
    "stock levels are the sums of their entries": _LEVELS,
    "held stock is the sum of open holds": _HELD,
    "committed stock is the sum of open orders": _COMMITTED,
    "unsold serials are what is on hand": _SERIALS,
    "sold serials have a buyer": _SERIAL_SALES,
    "every level has a variant": _VARIANTS,
    "order totals are the sums of their lines": _TOTALS,
    "parts of orders are the sums of their lines": _PARTS,
    "coupons count the orders that use them": _COUPONS,
    "no order has more than it asked for": _ALLOCATED,
    "orders that are over keep no stock": _CANCELLED,
    "orders that are over have nothing left to ship": _OVER,
    "shipped goods are in packages that left, or are serials": _SHIPPED,
    "every partner of an order is there": _PARTNERS,
    "every order was announced once": _EVENTS,
    "event numbers have no gap": _SEQUENCES,
    "every dispatch has an order": _ORPHANS,
    "no delivery is stuck with its sender": _STUCK,
    "every topic counts its events": _TOPICS,
    "balances are the sums of their rows": _BALANCES,
    "debits are the sums of their rows": _DEBITS,
    "ledger rows carry the balances after them": _RUNNING_BALANCES,
    "the balances of a currency sum to zero": _ZERO_SUMS,
    "payments are what providers answered": _PAYMENTS,
    "captures and refunds are posted": _POSTED,
    "sales without what was taken back are what is not cancelled": _TAKEN_BACK,
    "invoices are paid by what was captured for them": _INVOICES,
    "tickets are about orders of their partners": _TICKET_LINES,
    "tickets count their comments": _TICKET_COMMENTS,
    **RESELLER_CHECKS,
    "commissions are the sums of sales and payouts": "select * from commission_buckets(null)",
    "category paths follow their parents": _CATEGORIES,
}


async def examine(db: Database) -> list[CheckResult]:
    """Run all checks in one read-only snapshot; the server may keep running."""
    results = []
    async with db.begin() as tx:
        await tx.run("set transaction isolation level repeatable read, read only")
        await tx.take_time()
        for check, query in CHECKS.items():
            # tidy: allow sql_is_made_of_constants because CHECKS holds this module's own queries
            looked_at = await tx.value(f"select count(*) from ({query}) looked")
            # tidy: allow sql_is_made_of_constants because CHECKS holds this module's own queries
            wrong = await tx.all(f"select * from ({query}) found where found.wrong limit 1000")
            differences = tuple(
                Difference(check=check, where=row[0], expected=row[1], found=row[2])
                for row in wrong
            )
            results.append(CheckResult(check=check, looked_at=looked_at, differences=differences))
    return results
