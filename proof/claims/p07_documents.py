"""P7 for drop shippers: no document and no body gets a server error or an answer that is not GraphQL's."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from typing import Any

from graphql import EnumValueNode, GraphQLError, StringValueNode, Visitor, parse, print_ast, visit
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis_graphql import Mode, from_schema

from crossdock.channels.shoppo.errors import CODES
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.schema import schema_text
from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Findings, Result, Size
from proof.drop_shippers import (
    ADDRESS,
    CHANNEL,
    CREATE,
    PAY,
    answered,
    ask,
    ids_of,
    make_drop_shipper,
    order_of,
    send,
)
from proof.malformed_documents import Body, odd_body, odd_document, plain_body
from proof.stand import Stand
from tests.support.factories import PartnerFixture, make_shop, make_variant
from tests.support.raw_http import Connection, Reply

LANES = 4
SHARE_BROKEN = 0.35
SHARE_WITHOUT_TOKEN = 0.03
SIMPLE = "{ productList(first: 1) { edges { node { id } } } }"
TYPES = ("application/json", "application/graphql-response+json")
NO_OF_SERVER = 500
FILE_SCALAR = {"File": st.just(EnumValueNode(value="file"))}


class _Made(Visitor):
    """Puts ids that exist into the places of ids, and of other strings at times."""

    def __init__(self, ids: list[str], rng: random.Random) -> None:
        super().__init__()
        self._ids = ids
        self._rng = rng

    def enter_argument(self, node: Any, *_: object) -> Any:
        return self._with_id(node, chance=0.8 if node.name.value.lower().endswith("id") else 0.1)

    def enter_object_field(self, node: Any, *_: object) -> Any:
        return self._with_id(node, chance=0.8 if node.name.value.lower().endswith("id") else 0.1)

    def _with_id(self, node: Any, *, chance: float) -> Any:
        if not isinstance(node.value, StringValueNode) or self._rng.random() > chance:
            return None
        return replace(node, value=StringValueNode(value=self._rng.choice(self._ids)))


def generated(count: int, rng: random.Random) -> list[str]:
    """Documents made from the schema, half of them against it."""
    found: list[str] = []
    for mode in (Mode.POSITIVE, Mode.NEGATIVE):

        @hypothesis_seed(rng.randrange(10**9))
        @hypothesis_settings(
            max_examples=count // 2,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(from_schema(schema_text(), custom_scalars=FILE_SCALAR, mode=mode))
        def collect(document: Any) -> None:
            found.append(document if isinstance(document, str) else str(document))

        collect()
    rng.shuffle(found)
    return found


class Fuzzing:
    """Sends documents and bodies, and looks at the answers."""

    def __init__(
        self, stand: Stand, partners: list[PartnerFixture], ids: list[str], rng: random.Random
    ) -> None:
        self.findings = Findings()
        self.statuses: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self.calls = 0
        self._stand = stand
        self._partners = partners
        self._ids = ids
        self._rng = rng

    async def send_all(self, documents: list[str], *, bodies: int) -> None:
        """The documents, and so many bodies around them; every lane is another drop shipper's."""
        lanes = range(LANES)
        await asyncio.gather(
            *(
                self._lane(self._partners[lane], documents[lane::LANES], bodies // LANES)
                for lane in lanes
            )
        )

    async def _lane(self, partner: PartnerFixture, documents: list[str], bodies: int) -> None:
        connection = await Connection.open(self._stand.server.port)
        for document in documents:
            made = self._made(document)
            connection = await self._one(connection, partner, plain_body(made, self._variables()))
        for _ in range(bodies):
            document = self._rng.choice(
                [SIMPLE, CREATE, PAY, self._made(self._rng.choice(documents))]
            )
            body = odd_body(document, self._variables(), self._rng)
            connection = await self._one(connection, partner, body)
        connection.close()

    def _made(self, document: str) -> str:
        try:
            document = print_ast(visit(parse(document), _Made(self._ids, self._rng)))
        except GraphQLError:
            return document
        is_broken = self._rng.random() < SHARE_BROKEN
        return odd_document(document, self._rng) if is_broken else document

    def _variables(self) -> dict[str, Any]:
        items = [
            {"skuId": self._rng.choice(self._ids), "quantity": self._rng.choice([1, 0, 2**31 - 1])}
        ]
        return {
            "shippingAddress": ADDRESS,
            "orderItems": items,
            "partnerOrderCode": f"F-{self._rng.randrange(10**9)}",
            "orderId": self._rng.choice(self._ids),
            "chargeId": f"ch-{self._rng.randrange(100)}",
        }

    async def _one(self, connection: Connection, partner: PartnerFixture, body: Body) -> Connection:
        kind, content = body
        if self._rng.random() < SHARE_WITHOUT_TOKEN:
            partner = PartnerFixture(partner.id, partner.shop_id, partner.key, "wrong")
        accept = self._rng.choice(["*/*", *TYPES])
        request = send(partner, content, **{"Content-Type": kind, "Accept": accept})
        for _ in range(2):
            if not connection.is_open:
                connection = await Connection.open(self._stand.server.port)
            try:
                async with asyncio.timeout(60):
                    reply = await connection.exchange(request)
                break
            except ConnectionError:
                continue
        else:
            self.findings.expect(False, f"{kind}, {content[:200]!r}: the connection was closed")
            return connection
        self.calls += 1
        self.statuses[reply.status] += 1
        self.findings.expect(
            self._is_graphql(reply),
            f"{kind}, {content[:600]!r}: {reply.status} {reply.body[:300]!r}",
        )
        return connection

    def _is_graphql(self, reply: Reply) -> bool:
        """Whether an answer has GraphQL's shape, known codes, and is no failure of the server."""
        document = reply.json()
        kind = (reply.header("content-type") or "").partition(";")[0]
        if (
            not isinstance(document, dict)
            or not document
            or not set(document) <= {"data", "errors"}
        ):
            return False
        errors = document.get("errors", [])
        if not isinstance(errors, list) or ("errors" in document) != bool(errors):
            return False
        codes = [error["extensions"]["code"] for error in errors if _is_error(error)]
        self.codes.update(codes)
        return (
            len(codes) == len(errors)
            and "INTERNAL_SERVER_ERROR" not in codes
            and reply.status < NO_OF_SERVER
            and (reply.status == 200 or "data" not in document)
            and kind in TYPES
        )


def _is_error(error: Any) -> bool:
    """Whether it has a message, and the extensions that the channel documents."""
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    more = error.get("extensions")
    return (
        isinstance(more, dict)
        and more.get("code") in CODES
        and isinstance(more.get("type"), str)
        and isinstance(more.get("displayToUser"), bool)
        and bool(more.get("requestId"))
        and set(error) <= {"message", "extensions", "locations", "path"}
    )


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Send generated documents, then odd bodies around them; then the same processes must answer."""
    async with stand.database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop, own=10**6) for _ in range(3)]
        partners = [await make_drop_shipper(tx, shop=shop) for _ in range(LANES)]
        ids = await ids_of(tx, shop)
    known = [ids.encode(Kind.SKU, each) for each in variants]
    connection = await Connection.open(stand.server.port)
    for place, partner in enumerate(partners):
        request = order_of(partner, ids, (variants[0], 2), code=f"FIRST-{place}")
        order = answered(await connection.exchange(request))["createOrder"]["order"]
        known += [order["id"], order["orderItems"][0]["id"]]
    connection.close()
    known += ["", "0" * 22, "z" * 22, "21421713751366966949588"]
    fuzzing = Fuzzing(stand, partners, known, rng)
    processes = stand.server.children(WEB)
    documents = await asyncio.to_thread(generated, size["documents"], rng)
    await fuzzing.send_all(documents, bodies=size["bodies"])
    findings = fuzzing.findings
    now = stand.server.children(WEB)
    findings.expect(now == processes, f"processes {processes} became {now}")
    connection = await Connection.open(stand.server.port)
    page = answered(await connection.exchange(ask(partners[0], SIMPLE)))
    findings.expect(bool(page["productList"]["edges"]), f"afterwards: {page}")
    connection.close()
    shown = " ".join(f"{status}:{count}" for status, count in sorted(fuzzing.statuses.items()))
    return findings.result(
        documents=len(documents),
        calls=fuzzing.calls,
        answers=shown,
        codes=" ".join(f"{code}:{count}" for code, count in sorted(fuzzing.codes.items())),
    )


CLAIM = Claim(
    id="P7",
    door=CHANNEL,
    title="fuzz",
    workload="documents made from the schema by its rules and against them, with ids that exist, some with words "
    "put elsewhere, left out or replaced; bodies around them with odd values, names, nesting, encodings, labels, "
    "cut and flipped; multipart bodies with odd maps, parts and files",
    must_hold="0 5xx and no internal error; every answer is GraphQL's: data or errors, each with a known code; "
    "no process died",
    full={"documents": 6_000, "bodies": 20_000},
    quick={"documents": 400, "bodies": 1_000},
    run=run,
)
