"""P6 for tokens in the body: they are valid for 15 minutes, and once if the partner wants that."""

import json
import random
import secrets
import uuid
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from proof.claim import Claim, Findings, Result, Size
from proof.claims.p06_replay import Lanes
from proof.stand import Stand
from proof.web_shops import ENCODINGS, Encoding, auth_text, encoded, make_web_shop, post
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.raw_http import Reply
from tests.support.shopwedo_client import order_of

NOW = datetime(2026, 4, 9, 9, 20, tzinfo=UTC)
AGE_MAX_S = 900
SKEW_S = 5
TOGETHER = 6
ORDER_SHARE = 0.15
PARTS = ("shopid", "timestamp", "salt", "token", "auth")
REFUSALS = {
    "auth_missing",
    "auth_invalid",
    "auth_expired",
    "auth_timestamp_in_future",
    "auth_token_mismatch",
}


@dataclass(frozen=True)
class Call:
    """A call whose `auth` text can be changed; the protocol does not sign `data`."""

    partner: PartnerFixture
    method: str
    data: Any
    auth: str
    encoding: Encoding

    def request(self, auth: str | None = None) -> bytes:
        """The bytes that are sent."""
        chosen = self.auth if auth is None else auth
        return post(self.method, *encoded(chosen, json.dumps(self.data), encoding=self.encoding))

    @property
    def is_order(self) -> bool:
        """Whether it creates an order."""
        return self.method == "createOrder"


class Forger:
    """Makes genuine calls of a web shop, and forged copies of them."""

    def __init__(self, variant_id: int, rng: random.Random) -> None:
        self._variant_id = variant_id
        self._rng = rng

    def genuine(
        self, partner: PartnerFixture, *, offset_s: float | None = None, salt: str = ""
    ) -> Call:
        """A web shop's call with a timestamp within the 15 minutes."""
        offset = self._rng.randint(-800, SKEW_S) if offset_s is None else offset_s
        timestamp = f"{NOW.timestamp() + offset:.3f}".rstrip("0").rstrip(".")
        auth = auth_text(partner, timestamp=timestamp, salt=salt or secrets.token_hex(8))
        encoding = self._rng.choice(ENCODINGS)
        if self._rng.random() < ORDER_SHARE:
            order = order_of((self._variant_id, 1), number=uuid.uuid4().hex, release=True)
            return Call(partner, "createOrder", order, auth, encoding)
        return Call(partner, "getStock", {"sku": self._variant_id}, auth, encoding)

    def forged(self, call: Call) -> tuple[str, bytes]:
        """The call with one bit flipped in one of the auth values, or anywhere in the auth text."""
        while True:
            part = self._rng.choice(PARTS)
            start, end = _place_of(part, call.auth)
            place, bit = self._rng.randrange(start, end), self._rng.randrange(7)
            turned = chr(ord(call.auth[place]) ^ 1 << bit)
            is_same_letter = turned.lower() == call.auth[place].lower()
            if is_same_letter and place >= _place_of("token", call.auth)[0]:
                continue  # a token's letters may be large
            text = call.auth[:place] + turned + call.auth[place + 1 :]
            return part, call.request(text)


def _place_of(part: str, auth: str) -> tuple[int, int]:
    """The position of a value in the auth text, without quotes; `auth` means the whole text."""
    if part == "auth":
        return 0, len(auth)
    value = json.loads(auth, parse_int=str, parse_float=str)[part]
    start = auth.index(value, auth.index(f'"{part}"') + len(part) + 2)
    return start, start + len(value)


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """One web shop with the protocol's defaults, one with the replay cache on; the clock is frozen."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10**6)
        loose = await make_web_shop(tx, shop=shop)
        strict, other = [
            await make_web_shop(tx, shop=shop, settings={"replay_cache": True}) for _ in range(2)
        ]
    forger = Forger(variant_id, rng)
    with stand.serving(clock=_clock_at(0)):
        lanes = Lanes(stand)
        kept = await _capture(lanes, forger, strict, size["calls"] // 2, findings)
        free = await _capture(lanes, forger, loose, size["calls"] // 2, findings)
        refused = await _replay_kept(lanes, kept, findings, where="again")
        allowed = await _replay_free(lanes, free, findings, where="again")
        races = await _race(lanes, forger, strict, size["races"], findings)
        forged = await _forge(lanes, forger, [strict, loose], size["calls"], findings)
        await _edges(lanes, forger, loose, findings)
        await _other_shop(lanes, forger, (strict, other), findings)
        orders = await _orders(stand)
        lanes.close()
    for offset_s in (0, AGE_MAX_S + SKEW_S + 1):
        with stand.serving(clock=_clock_at(offset_s)):
            lanes = Lanes(stand)
            where = f"after a restart, {offset_s} s on"
            some = rng.sample(kept, min(len(kept), size["after_restart"]))
            refused += await _replay_kept(lanes, some, findings, where=where)
            if offset_s:
                await _all_expired(lanes, free[: size["after_restart"]], findings)
            else:
                some = rng.sample(free, min(len(free), size["after_restart"]))
                allowed += await _replay_free(lanes, some, findings, where=where)
            lanes.close()
    later = await _orders(stand)
    findings.expect(later == orders, f"{later - orders} orders from replays")
    return findings.result(
        calls=len(kept) + len(free),
        replays_refused=refused,
        replays_that_the_protocol_allows=allowed,
        races=races,
        forgeries_refused=forged,
    )


async def _capture(
    lanes: Lanes, forger: Forger, partner: PartnerFixture, count: int, findings: Findings
) -> list[Call]:
    calls = [forger.genuine(partner) for _ in range(count)]
    for reply in await lanes.all([call.request() for call in calls]):
        findings.expect(_accepted(reply), f"a genuine call was refused: {_shown(reply)}")
    return calls


async def _replay_kept(lanes: Lanes, calls: list[Call], findings: Findings, *, where: str) -> int:
    """With the replay cache on a token is accepted once, also in another encoding."""
    requests = [
        replace(call, encoding=ENCODINGS[place % 3]).request() for place, call in enumerate(calls)
    ]
    for reply in await lanes.all(requests):
        right = _refused(reply, {"auth_salt_reused", "auth_expired"})
        findings.expect(right, f"replayed {where}: {_shown(reply)}")
    return len(requests)


async def _replay_free(lanes: Lanes, calls: list[Call], findings: Findings, *, where: str) -> int:
    """Without it a call is accepted again within its time, but makes no second order."""
    replies = await lanes.all([call.request() for call in calls])
    for call, reply in zip(calls, replies, strict=True):
        if call.is_order:
            told = reply.json() if reply and reply.status == 400 else None
            right = isinstance(told, dict) and "external_order_id" in told.get("errors", {})
        else:
            right = _accepted(reply)
        findings.expect(right, f"{call.method} sent {where}: {_shown(reply)}")
    return len(calls)


async def _all_expired(lanes: Lanes, calls: list[Call], findings: Findings) -> None:
    for reply in await lanes.all([call.request() for call in calls]):
        findings.expect(_refused(reply, {"auth_expired"}), f"out of its time: {_shown(reply)}")


async def _race(
    lanes: Lanes, forger: Forger, partner: PartnerFixture, count: int, findings: Findings
) -> int:
    """Send one call six times at once: one is accepted."""
    for _ in range(count):
        replies = await lanes.all([forger.genuine(partner).request()] * TOGETHER)
        accepted = sum(map(_accepted, replies))
        findings.expect(accepted == 1, f"{accepted} of {TOGETHER} equal calls were accepted")
    return count


async def _forge(
    lanes: Lanes,
    forger: Forger,
    partners: list[PartnerFixture],
    count: int,
    findings: Findings,
) -> int:
    """Send a call with one flipped bit before the genuine one: it is refused, and the genuine one is accepted."""
    parts: Counter[str] = Counter()
    calls = [forger.genuine(partners[place % len(partners)]) for place in range(count)]
    forgeries = [forger.forged(call) for call in calls]
    replies = await lanes.all([request for _, request in forgeries])
    for (part, request), reply in zip(forgeries, replies, strict=True):
        parts[part] += 1
        findings.expect(
            _refused(reply, REFUSALS), f"a turned bit in {part}: {_shown(reply)} to {request!r}"
        )
    for reply in await lanes.all([call.request() for call in calls]):
        findings.expect(_accepted(reply), f"a forgery spent its model's salt: {_shown(reply)}")
    findings.expect(len(parts) == len(PARTS), f"only {sorted(parts)} were forged")
    return count


async def _edges(lanes: Lanes, forger: Forger, partner: PartnerFixture, findings: Findings) -> None:
    edges = {
        -AGE_MAX_S: "",
        -AGE_MAX_S - 0.001: "auth_expired",
        -AGE_MAX_S - 1: "auth_expired",
        SKEW_S: "",
        SKEW_S + 0.001: "auth_timestamp_in_future",
        SKEW_S + 1: "auth_timestamp_in_future",
        NOW.timestamp() * 999: "auth_timestamp_in_future",  # milliseconds
    }
    for offset_s, word in edges.items():
        reply = await lanes.send(forger.genuine(partner, offset_s=offset_s).request())
        right = _refused(reply, {word}) if word else _accepted(reply)
        findings.expect(right, f"stamped {offset_s:+} s: {_shown(reply)}")


async def _other_shop(
    lanes: Lanes, forger: Forger, partners: tuple[PartnerFixture, ...], findings: Findings
) -> None:
    """A salt belongs to its web shop, and one shop's token is invalid with another's id."""
    salt = uuid.uuid4().hex
    for partner in partners:
        call = forger.genuine(partner, offset_s=0, salt=salt)
        reply = await lanes.send(call.request())
        findings.expect(_accepted(reply), f"one salt, two shops: {_shown(reply)}")
    first, second = partners
    call = forger.genuine(first)
    reply = await lanes.send(call.request(call.auth.replace(first.key, second.key)))
    findings.expect(_refused(reply, {"auth_token_mismatch"}), f"another shop's id: {_shown(reply)}")


async def _orders(stand: Stand) -> int:
    async with stand.database.statement() as tx:
        return int(await tx.value("select count(*) from orders"))


def _clock_at(offset_s: int) -> str:
    return (NOW + timedelta(seconds=offset_s)).isoformat()


def _accepted(reply: Reply | None) -> bool:
    return reply is not None and 200 <= reply.status < 300


def _refused(reply: Reply | None, words: set[str]) -> bool:
    document = reply.json() if reply and reply.status == 401 else None
    return isinstance(document, dict) and document.get("error") in words


def _shown(reply: Reply | None) -> str:
    return "no answer" if reply is None else f"{reply.status} {reply.body[:200]!r}"


CLAIM = Claim(
    id="P6",
    door="shopwedo",
    title="replay and forgery",
    workload="captured calls in three encodings sent again to all workers, six at once, and after "
    "restarts, for a web shop with the replay cache and one without; as many with one bit turned in "
    "shop id, time, salt, token or anywhere in the proof; the window's edges",
    must_hold="with the replay cache each proof is accepted once; without it within 15 minutes only and "
    "no order twice, as the protocol has it; no forgery accepted, none spends a salt",
    full={"calls": 10_000, "races": 200, "after_restart": 500},
    quick={"calls": 500, "races": 20, "after_restart": 100},
    run=run,
    server=False,
)
