"""P1 for resellers: the last serials are handed out once, whoever asks, and each is paid once."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from crossdock.channels.shoppex_reseller.ids import Kind
from proof.claim import Claim, Findings, Result, Size
from proof.resellers import (
    CHANNEL,
    STOCK_GONE,
    Books,
    Licence,
    Reseller,
    Told,
    ask,
    call,
    make_licence,
    make_merchant_key,
    make_reseller,
    numbered,
    open_programme,
)
from proof.stand import Stand
from tests.support.factories import PartnerFixture, ShopFixture, level, make_shop
from tests.support.raw_http import Connection

UNITS = (1, 1, 3, 20)
RESELLERS = 3
CREDIT = 10**9
TWINS = 2
"""Each fulfilment is sent so often at once, under one key."""
CLAIM_EVERY = 25
"""So often it is the shop itself that takes a serial out."""


@dataclass
class Rush:
    """Those who ask at once, and what became of it."""

    shop: ShopFixture
    resellers: list[Reseller]
    merchant: PartnerFixture
    connections: list[Connection]
    findings: Findings
    counts: Counter[str] = field(default_factory=Counter)
    bought: Counter[int] = field(default_factory=Counter)
    """How many fulfilments each reseller has, by its number."""

    async def run(self, licence: Licence, rng: random.Random, *, name: str) -> list[str]:
        """All ask for one serial; those that were handed out."""
        rng.shuffle(self.connections)
        pairs = zip(self.connections[::TWINS], self.connections[1::TWINS], strict=False)
        found = await asyncio.gather(
            *(
                self._ask(pair, licence, place, f"{name}-{place}")
                for place, pair in enumerate(pairs)
            )
        )
        return [serial for serials in found for serial in serials]

    async def _ask(
        self, pair: tuple[Connection, ...], licence: Licence, place: int, key: str
    ) -> list[str]:
        if place % CLAIM_EVERY == 0:
            return await self._claim(pair[0], licence)
        reseller = self.resellers[place % len(self.resellers)]
        request = reseller.fulfil(licence, order=key, key=key)
        twins = await asyncio.gather(*(ask(connection, request) for connection in pair))
        serials = self._judge(list(twins), key)
        self.bought[reseller.id] += len(serials)
        return serials

    def _judge(self, twins: list[Told], key: str) -> list[str]:
        """Both were told the same; one of them made the fulfilment, or both came too late."""
        if {told.code for told in twins} == {STOCK_GONE}:
            self.counts["refused"] += 1
            return []
        same = {(told.id, told.serials, told.balance_after, told.code) for told in twins}
        made = sum(told.status == 201 for told in twins)
        is_told = made == 1 or (made == 0 and any(told.is_made for told in twins))
        is_right = is_told and len(same) == 1 and len(twins[0].serials) == 1
        self.findings.expect(is_right, f"{key}: {twins}")
        self.counts["fulfilled"] += is_right
        return list(twins[0].serials)

    async def _claim(self, connection: Connection, licence: Licence) -> list[str]:
        product = self.resellers[0].ids.write(Kind.PRODUCT, licence.product_id)
        path = f"/dev/v1/products/{product}/serials/claim"
        while True:
            request = call(self.merchant.secret, "POST", path, {"amount": 1})
            reply = await connection.exchange(request)
            if reply.status != 503:
                break
        document = reply.json()
        if reply.status == 200:
            self.counts["claimed"] += 1
            return list(document["data"]["serials"])
        is_refused = reply.status == 409 and document["error"]["code"] == STOCK_GONE
        self.findings.expect(is_refused, f"a claim: {reply.status} {reply.body[:200]!r}")
        self.counts["claims_refused"] += 1
        return []


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Each round has a licence of its own with 1, 3 or 20 serials; all ask at once."""
    findings = Findings()
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        await open_programme(tx, shop)
        resellers = [
            await make_reseller(tx, shop=shop, credit_minor=CREDIT) for _ in range(RESELLERS)
        ]
        merchant = await make_merchant_key(tx, shop=shop)
    connections = await stand.connect(size["askers"])
    rush = Rush(shop, resellers, merchant, connections, findings)
    for number in range(size["rounds"]):
        serials = numbered(f"ROUND-{number}", rng.choice(UNITS))
        async with stand.database.begin() as tx:
            licence = await make_licence(tx, shop=shop, serials=serials)
        handed = await rush.run(licence, rng, name=f"R{number}")
        findings.expect(sorted(handed) == serials, f"round {number}: {sorted(handed)} of {serials}")
        async with stand.database.statement() as tx:
            left = await level(tx, shop_id=shop.id, variant_id=licence.variant_id)
        findings.expect(left == (0, 0, 0, 0), f"round {number}: level is {left}")
    for connection in connections:
        connection.close()
    async with stand.database.statement() as tx:
        for reseller in resellers:
            found = await Books.read(tx, reseller)
            right = Books.of(rush.bought[reseller.id], credit_minor=CREDIT)
            findings.expect(found == right, f"reseller {reseller.id}: {found} instead of {right}")
    return findings.result(rounds=size["rounds"], askers=size["askers"], **rush.counts)


CLAIM = Claim(
    id="P1",
    door=CHANNEL,
    title="last serial",
    workload="200 calls at once for one serial each of 1, 3 or 20: fulfilments of three resellers, each sent "
    "twice under its key, and claims of the shop itself",
    must_hold="every serial handed out, none twice; twins are told the same and debited once; every loser is "
    "refused cleanly and pays nothing",
    full={"askers": 200, "rounds": 100},
    quick={"askers": 200, "rounds": 5},
    run=run,
)
