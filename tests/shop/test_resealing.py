"""Sealing again after a change of the master key..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, SealBroken
from crossdock.kit.clock import FrozenClock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.webhooks import new_secret
from crossdock.shop import resealing
from crossdock.shop.dispatch import Configuring, Connectors, add_connector
from crossdock.shop.mailing import SECRETS, Mailing, read_mail
from crossdock.shop.orders import Identity, Known, claim_identity, keep_answer
from crossdock.shop.partners import (
    Terms,
    read_called,
    read_credential,
    revoke_old_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.shop.people.factors import set_totp, spend_totp
from crossdock.shop.resealing import (
    KEPT,
    await_writers,
    check_seals,
    count_sealed,
    require_key,
    reseal,
)
from crossdock.shop.stock import add_serials, read_sold_serials, take_serials
from crossdock.shop.warehouse import capture_serials, find_serial, read_serials
from crossdock.shop.webhooks import Subscribing, subscribe, webhook_secret_place
from tests.support.factories import MASTER_KEY, PartnerFixture, box, make_partner, make_variant
from tests.support.hooked import ALERTED, DIALECT
from tests.support.locks import waiting_for_a_lock
from tests.support.people import TOTP_SECRET, PersonFixture, code_at, make_person
from tests.support.warehousing import Warehouse

NEW, LOST = b"n" * 32, b"l" * 32
BOTH = SecretBox(NEW, older=[MASTER_KEY])


class Shop:
    """A shop with something sealed of every kind: partners, a connector, a person, serials."""

    warehouse: Warehouse
    partner: PartnerFixture
    noor: PersonFixture
    order_id: int
    licence: int
    call: Identity
    mail_id: int
    webhook_secret: str

    @property
    def id(self) -> int:
        return self.warehouse.shop.id


@pytest.fixture
async def alone(empty_database_url: str) -> AsyncIterator[Database]:
    """A database in which nobody else writes."""
    database = Database(empty_database_url, min_size=1, max_size=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def shop(alone: Database, clock: FrozenClock) -> Shop:
    """One whose secrets are all sealed under the tests' master key."""
    made = Shop()
    made.warehouse = await Warehouse.open(alone, clock)
    good = await made.warehouse.variant(own=9)
    made.order_id = await made.warehouse.enter((good, 4))
    await made.warehouse.pick(made.order_id, {1: 4})
    await made.warehouse.scan(made.order_id, 1, "SN-1", "SN-2", "SN-1")
    async with alone.begin() as tx, Outbound(allowed_hosts=()) as outbound:
        licence = await make_variant(tx, shop=made.warehouse.shop, own=None)
        made.licence, keys, now = licence, ["KEY-1", "KEY-2"], clock.now()
        await add_serials(tx, shop_id=made.id, variant_id=licence, serials=keys, box=box(), now=now)
        await take_serials(
            tx,
            shop_id=made.id,
            order_id=made.order_id,
            line_no=1,
            variant_id=licence,
            quantity=1,
            now=now,
        )
        made.partner = await make_partner(tx, shop=made.warehouse.shop)
        await set_terms(
            tx,
            partner_id=made.partner.id,
            terms=Terms(secrets={"call_token": "their-s"}),
            box=box(),
        )
        made.noor = await make_person(tx, shop_id=made.id, with_totp=True)
        await make_person(tx, shop_id=made.id)
        await add_connector(
            tx,
            service=Configuring(outbound=outbound, box=box()),
            shop_id=made.id,
            name="hook",
            kind="webhook",
            settings={"url": "https://example.com/in"},
            secret=new_secret(SeededIds(3)),
        )
        made.call = Identity(namespace="POST /keys/", key="once", request_hash=b"1")
        await claim_identity(tx, shop_id=made.id, identity=made.call, box=box(), now=now)
        await keep_answer(tx, shop_id=made.id, identity=made.call, answer=b"KEY-9", box=box())
        made.mail_id = await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=made.id, template="item_delivery", to="ada@moreno.example", key="item 1",
            values={"product": "Mug", "serials": ["KEY-1"]}, now=now,
        )  # fmt: skip
        _, made.webhook_secret = await subscribe(
            tx, service=Subscribing(outbound=outbound, box=box(), ids=SeededIds(4)),
            dialect=DIALECT, shop_id=made.id, url="https://example.com/in", names=[ALERTED], now=now,
        )  # fmt: skip
    return made


def counts(states: list[Any]) -> list[tuple[int, int, int, int]]:
    return [(s.looked_at, s.sealed_again, s.needs_older, s.unreadable) for s in states]


async def seen(db: Database, shop: Shop, *, box: SecretBox, clock: FrozenClock) -> None:
    """Everything opens with this box: a partner's secret, a connector's, a second step, serials."""
    async with db.begin() as tx, Outbound(allowed_hosts=()) as outbound:
        key = shop.partner.key
        known = await read_credential(tx, channel="shoppex_partner", public_key=key, box=box)
        assert known is not None
        assert [secret.value.decode() for secret in known.secrets] == [shop.partner.secret]
        connectors = Connectors(outbound=outbound, box=box, clock=clock)
        await connectors.read(tx, shop_id=shop.id, name="hook")
        clock.move(timedelta(seconds=60))
        code, now = code_at(clock.now().timestamp()), clock.now()
        assert await spend_totp(tx, person_id=shop.noor.id, code=code, box=box, now=now)
        serials = await read_serials(tx, shop_id=shop.id, order_id=shop.order_id, box=box)
        assert serials == {1: ["SN-1", "SN-2", "SN-1"]}
        found = await find_serial(tx, shop_id=shop.id, serial="SN-1", box=box)
        assert found == [(shop.order_id, 1)] * 2
        sold = await read_sold_serials(tx, shop_id=shop.id, order_id=shop.order_id, box=box)
        assert sold == {1: ["KEY-1"]}
        called = await read_called(tx, shop_id=shop.id, partner_id=shop.partner.id, box=box)
        assert called.secrets == {"call_token": "their-s"}
        told = await claim_identity(
            tx, shop_id=shop.id, identity=shop.call, box=box, now=clock.now()
        )
        assert told == Known(is_same_request=True, answer=b"KEY-9")
        mail = await read_mail(tx, shop_id=shop.id, mail_id=shop.mail_id, box=box, reveals=SECRETS)
        assert "KEY-1" in mail.text
        [(number, sealed)] = await tx.all("select id, sealed_secret from webhook_subscriptions")
        place = webhook_secret_place(shop.id, number)
        assert box.open(sealed, place=place).decode() == shop.webhook_secret


async def test_makes_all_of_it_good_without_the_old_key(alone, shop, clock):
    await seen(alone, shop, box=BOTH, clock=clock)

    done = await reseal(alone, box=BOTH)

    assert counts(done) == [
        (2, 2, 0, 0),
        (1, 1, 0, 0),
        (1, 1, 0, 0),
        (3, 3, 0, 0),
        (2, 2, 0, 0),
        (1, 1, 0, 0),
        (1, 1, 0, 0),
        (1, 1, 0, 0),
        (1, 1, 0, 0),
    ]
    await seen(alone, shop, box=SecretBox(NEW), clock=clock)
    assert sum(s.unreadable for s in await check_seals(alone, box=box())) == 13


async def test_a_second_time_finds_nothing_to_do(alone, shop):
    await reseal(alone, box=BOTH)
    before = await _everything(alone)

    assert counts(await reseal(alone, box=BOTH)) == [
        (2, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0), (3, 0, 0, 0), (2, 0, 0, 0), (1, 0, 0, 0),
        (1, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0),
    ]  # fmt: skip
    assert await _everything(alone) == before


async def test_is_counted_before_it_is_done_and_a_check_writes_nothing(alone, shop):
    before = await _everything(alone)

    states = await check_seals(alone, box=BOTH)

    assert counts(states) == [
        (2, 0, 2, 0),
        (1, 0, 1, 0),
        (1, 0, 1, 0),
        (3, 0, 3, 0),
        (2, 0, 2, 0),
        (1, 0, 1, 0),
        (1, 0, 1, 0),
        (1, 0, 1, 0),
        (1, 0, 1, 0),
    ]
    assert await count_sealed(alone) == 13
    assert await _everything(alone) == before


async def test_goes_on_where_a_batch_was_the_last(alone, shop, clock, monkeypatch):
    monkeypatch.setattr(resealing, "BATCH", 1)

    def stop_early(done: int, left: list[int] = [4]) -> None:  # noqa: B006
        left[0] -= done
        if not left[0]:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await reseal(alone, box=BOTH, moved=stop_early)
    assert sum(s.needs_older for s in await check_seals(alone, box=BOTH)) == 9
    await seen(alone, shop, box=BOTH, clock=clock)

    told: list[int] = []
    done = await reseal(alone, box=BOTH, moved=told.append)

    assert (sum(s.sealed_again for s in done), sum(s.needs_older for s in done)) == (9, 0)
    assert sum(told) == 2 * await count_sealed(alone)
    await seen(alone, shop, box=SecretBox(NEW), clock=clock)


async def test_leaves_what_somebody_changed_meanwhile(alone, shop, clock):
    [people] = [kept for kept in KEPT if kept.name == "second steps"]
    async with alone.begin() as tx:
        rows = await tx.all(people.read, {"shop": 0, "key": 0, "batch": 9})
        new = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        await set_totp(tx, person_id=shop.noor.id, secret=new, step=0, box=SecretBox(NEW))

    due = [(row, TOTP_SECRET.encode()) for row in rows]
    assert await resealing._write(alone, people, rows=due, box=BOTH) == 0

    async with alone.begin() as tx:
        code, now = code_at(clock.now().timestamp(), secret=new), clock.now()
        assert await spend_totp(tx, person_id=shop.noor.id, code=code, box=BOTH, now=now)


async def test_spends_no_code_and_frees_none(alone, shop, clock):
    code, now = code_at(clock.now().timestamp()), clock.now()
    person_id = shop.noor.id
    async with alone.begin() as tx:
        assert await spend_totp(tx, person_id=person_id, code=code, box=BOTH, now=now)

    await reseal(alone, box=BOTH)

    async with alone.begin() as tx:
        assert not await spend_totp(tx, person_id=person_id, code=code, box=BOTH, now=now)


async def test_finds_a_serial_wherever_it_was_noted(alone, shop, clock):
    """Half of them under the old key, half under the new: the limit and the search see both."""
    async with alone.begin() as tx:
        await capture_serials(
            tx, shop_id=shop.id, order_id=shop.order_id, line_no=1, serials=["SN-1"], box=BOTH,
            now=clock.now(),
        )  # fmt: skip
    for known in (BOTH, SecretBox(NEW)):
        async with alone.begin() as tx:
            found = await find_serial(tx, shop_id=shop.id, serial="SN-1", box=known)
        assert found == [(shop.order_id, 1)] * 3
        await reseal(alone, box=BOTH)


async def test_makes_a_fingerprint_anew_that_the_newest_key_did_not_make(alone, shop):
    await reseal(alone, box=BOTH)
    async with alone.begin() as tx:
        await tx.run("update captured_serials set fingerprint = 'x' where id % 2 = 0")

    done = await reseal(alone, box=SecretBox(NEW))

    [noted] = [state for state in done if state.name == "serials"]
    assert 0 < noted.sealed_again < 3
    async with alone.begin() as tx:
        found = await find_serial(tx, shop_id=shop.id, serial="SN-1", box=SecretBox(NEW))
    assert len(found) == 2


async def test_names_what_no_known_key_opens_and_leaves_it(alone, shop):
    async with alone.begin() as tx:
        other = await make_person(tx, shop_id=shop.id)
        await set_totp(tx, person_id=other.id, secret=TOTP_SECRET, step=0, box=SecretBox(LOST))
        lost = await tx.value("select totp_sealed from people where id = %s", (other.id,))

    done = await reseal(alone, box=BOTH)

    assert [s.unreadable_places for s in done] == [
        (),
        (),
        (f"totp:{other.id}",),
        (),
        (),
        (),
        (),
        (),
        (),
    ]
    assert sum(s.needs_older for s in done) == 0
    async with alone.begin() as tx:
        now = await tx.value("select totp_sealed from people where id = %s", (other.id,))
    assert now == lost
    assert [s.name for s in await require_key(alone, box=BOTH)] == ["second steps"]


async def test_is_refused_with_a_key_that_opens_nothing(alone, shop):
    with pytest.raises(CrossdockError, match="opens none of the 6 secrets"):
        await require_key(alone, box=SecretBox(LOST))
    assert await require_key(alone, box=box()) == []


async def test_is_asked_of_nobody_where_nothing_is_sealed(alone):
    assert await require_key(alone, box=SecretBox(LOST)) == []
    assert counts(await reseal(alone, box=SecretBox(LOST))) == [(0, 0, 0, 0)] * len(KEPT)


async def test_needs_nothing_of_partners_who_had_new_secrets_after_a_loss(alone, shop, clock):
    key = shop.partner.key
    lost = SecretBox(LOST)
    async with alone.begin() as tx:
        with pytest.raises(SealBroken):
            await read_credential(tx, channel="shoppex_partner", public_key=key, box=lost)
        made = await rotate_secret(
            tx, key=key, ids=SeededIds(5), box=lost, now=clock.now(), overlap_s=60
        )
        known = await read_credential(tx, channel="shoppex_partner", public_key=key, box=lost)
        assert known is not None
        assert [secret.value.decode() for secret in known.secrets] == [made.secret]
        await revoke_old_secrets(tx, key=key, now=clock.now())

    [partners, *_] = await require_key(alone, box=lost)
    assert (partners.looked_at, partners.unreadable) == (2, 1)


async def test_goes_through_every_table_that_holds_something_sealed(alone):
    """A column that is added without its line in KEPT would be lost with the old key."""
    async with alone.statement() as tx:
        rows = await tx.all(
            "select table_name from information_schema.columns where table_schema = 'public'"
            " and column_name like '%%sealed%%' order by 1"
        )
    tables = [name for (name,) in rows]
    assert tables == [
        *("captured_serials", "connectors", "credential_secrets", "identities", "mails"),
        *("partner_secrets", "people", "serials", "webhook_subscriptions"),
    ]
    assert all(any(f"update {name} " in kept.write for kept in KEPT) for name in tables)


async def _everything(db: Database) -> list[Any]:
    found = []
    async with db.begin() as tx:
        for kept in KEPT:
            found += await tx.all(kept.read, {"shop": 0, "key": kept.key, "batch": 99})
    return found


async def test_waits_for_whoever_sealed_before_and_has_not_committed(alone: Database, shop: Shop):
    """What an open transaction sealed is not seen by a check; `forget` would destroy its key."""
    order: list[str] = []

    async def wait() -> None:
        await await_writers(alone)
        order.append("went on")

    async with alone.begin() as tx:
        await tx.run("update people set totp_sealed = totp_sealed where totp_sealed is not null")
        waiting = asyncio.create_task(wait())
        await waiting_for_a_lock(alone, behind=tx)
        order.append("committed")
    await waiting
    assert order == ["committed", "went on"]
