"""The demo's partners: who may call the demo shop, and with what.

Keys and secrets are random in every installation. They can be read again, unlike all others,
because the partner says `demo` in its settings and its credentials are for tests. A demo partner
has no rate limit of its own shop's making (`rate_limit_per_minute` is 0), so that load tools can be
pointed at a demo.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox
from crossdock.kit.ids import Ids
from crossdock.shop.customers import Address, add_customer, find_customer
from crossdock.shop.partners import (
    PartnerView,
    Terms,
    add_credential,
    add_partner,
    list_partners,
    read_credential,
)

SHOP = "demo"


class KnownChannel(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo must know of a channel to add its partners."""

    permissions: tuple[str, ...]
    keys_are_numbers: bool


KnownChannels = Mapping[str, KnownChannel]
"""The channels by their names."""


class DemoPartner(msgspec.Struct, frozen=True, kw_only=True):
    """A partner of the demo; `prefix` stands before its fields in the printed credentials."""

    channel: str
    name: str
    prefix: str
    backorder: bool = False
    customer: Address | None = None
    settings: dict[str, Any] = {}


DEMO_CUSTOMER = Address(
    first_name="Robin",
    last_name="Calloway",
    company="Calloway Stores",
    email="robin@calloway.example",
    phone="+1 305 555 0142",
    address_1="12 Harbor Walk",
    city="Miami",
    state="FL",
    postcode="33132",
    country="US",
)

PARTNERS = (
    DemoPartner(
        channel="shoppex_partner",
        name="Demo partner",
        prefix="",
        backorder=False,
        customer=DEMO_CUSTOMER,
    ),
    DemoPartner(
        channel="shoppex_partner",
        name="Demo partner with backorder",
        prefix="backorder_",
        backorder=True,
        customer=Address(
            first_name="Jules",
            last_name="Okafor",
            company="Okafor Supply",
            email="jules@okafor.example",
            phone="+1 312 555 0176",
            address_1="480 Wabash Row",
            address_2="Floor 3",
            city="Chicago",
            state="IL",
            postcode="60605",
            country="US",
        ),
    ),
    DemoPartner(channel="shopwedo", name="Demo web shop", prefix=""),
    DemoPartner(
        channel="shopwedo",
        name="Demo web shop with replay cache",
        prefix="replay_",
        settings={"replay_cache": True},
    ),
)


class DemoKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo partner signs with. It is never printed by accident: see __repr__."""

    partner: DemoPartner
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"DemoKey(key={self.key!r})"


async def ensure_partners(
    tx: Transaction, *, shop_id: int, channels: KnownChannels, ids: Ids, box: SecretBox
) -> int:
    """Add the demo's partners that are missing, each with its customer and key; how many were."""
    known = {(view.channel, view.name) for view in await list_partners(tx, shop=SHOP)}
    missing = [partner for partner in PARTNERS if (partner.channel, partner.name) not in known]
    for partner in missing:
        channel = channels[partner.channel]
        customer_id = None
        if partner.customer:
            customer_id = await _ensure_customer(tx, shop_id=shop_id, address=partner.customer)
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel=partner.channel,
            name=partner.name,
            terms=Terms(
                permissions=channel.permissions,
                backorder=partner.backorder,
                customer_id=customer_id,
                settings={"demo": True, "rate_limit_per_minute": 0, **partner.settings},
            ),
        )
        await add_credential(
            tx,
            partner_id=partner_id,
            ids=ids,
            box=box,
            is_test=True,
            is_number=channel.keys_are_numbers,
        )
    return len(missing)


async def read_keys(tx: Transaction, *, box: SecretBox) -> list[DemoKey]:
    """The demo partners' keys with their newest secrets. Raises NotFound when there is no demo."""
    views = {(view.channel, view.name): view for view in await list_partners(tx, shop=SHOP)}
    found = []
    for partner in PARTNERS:
        view = views.get((partner.channel, partner.name))
        if view is None or view.settings.get("demo") is not True:
            raise NotFound(
                "not_found", "There is no demo shop yet; load one with: crossdock demo load"
            )
        found.append(await _read_key(tx, partner=partner, view=view, box=box))
    return found


async def _read_key(
    tx: Transaction, *, partner: DemoPartner, view: PartnerView, box: SecretBox
) -> DemoKey:
    for listed in reversed(view.credentials):
        if listed.disabled or not listed.is_test:
            continue
        credential = await read_credential(
            tx, channel=partner.channel, public_key=listed.key, box=box
        )
        if credential is not None:
            secret = max(credential.secrets, key=lambda secret: secret.id)
            return DemoKey(partner=partner, key=credential.public_key, secret=secret.value.decode())
    raise NotFound(
        "not_found",
        f"{view.name} is disabled, or has no live key; see: crossdock partner show {view.id}",
    )


async def _ensure_customer(tx: Transaction, *, shop_id: int, address: Address) -> int:
    known = await find_customer(tx, shop_id=shop_id, who=address.email)
    if known is not None:
        return known.id
    return await add_customer(
        tx, shop_id=shop_id, email=address.email, billing=address, shipping=address
    )


async def find_sample_variant(tx: Transaction) -> int | None:
    """The id of something that the demo partner can order many times; None without a demo."""
    found = await tx.value(
        """select v.id from shops s
           join variants v on v.shop_id = s.id and v.listed and v.origin = 'SC' and v.stock_managed
           join stock_levels l on l.shop_id = s.id and l.variant_id = v.id and l.pool = 'own'
           where s.slug = %s and coalesce(v.stock_status, 'instock') = 'instock' and l.available > 0
             and exists (select from partners p where p.shop_id = s.id and p.settings @> '{"demo": true}')
           order by l.available desc, v.id limit 1""",
        (SHOP,),
    )
    return None if found is None else int(found)
