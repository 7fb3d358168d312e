"""The demo's partners and their credentials.

Keys and secrets are random in every installation. Unlike all others they can be shown again,
because the partner is marked `demo` in its settings. A demo partner has no rate limit
(`rate_limit_per_minute` is 0), so that load tests can run against a demo.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from crossdock.channels.contract import DemoPartner, DemoShop
from crossdock.channels.manifest import Manifest
from crossdock.channels.registry import manifests
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.crypto import SecretBox, hash_key
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
from crossdock.shop.shops import read_shop

SHOP = "demo"


class DemoKey(msgspec.Struct, frozen=True, kw_only=True):
    """A demo partner's credential. Its repr hides the secret."""

    channel: str
    partner: DemoPartner
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"DemoKey(key={self.key!r})"


async def ensure_partners(tx: Transaction, *, shop_id: int, ids: Ids, box: SecretBox) -> int:
    """Add missing demo partners with customer and key; returns how many were added."""
    known = {(view.channel, view.name) for view in await list_partners(tx, shop=SHOP)}
    missing = [
        (manifest, partner)
        for manifest, partner in _partners()
        if (manifest.name, partner.name) not in known
    ]
    for manifest, partner in missing:
        facts = manifest.facts()
        customer_id = None
        if partner.customer:
            customer_id = await _ensure_customer(tx, shop_id=shop_id, address=partner.customer)
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel=manifest.name,
            name=partner.name,
            terms=Terms(
                permissions=facts.given,
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
            proof=facts.proof,
            prefix=facts.token_prefix,
            is_test=True,
            is_number=facts.keys_are_numbers,
            secret=partner.token,
        )
        if partner.user_name:
            await add_credential(
                tx,
                partner_id=partner_id,
                ids=ids,
                box=box,
                proof="password",
                is_test=True,
                key=partner.user_name,
                secret=partner.password,
            )
    return len(missing)


async def ensure_further(tx: Transaction, *, shop: DemoShop) -> int:
    """Add what else the channels have in the demo shop; returns how much changed."""
    changed = 0
    for manifest in manifests():
        ensure = manifest.demo().ensure if manifest.demo else None
        if ensure:
            changed += await ensure(tx, shop)
    return changed


async def read_further(tx: Transaction) -> dict[str, dict[str, object]]:
    """{channel: fields} of what else the channels have in the demo shop."""
    shop = await read_shop(tx, slug=SHOP)
    found = {}
    for manifest in manifests():
        show = manifest.demo().show_further if manifest.demo else None
        if show:
            found[manifest.name] = await show(tx, shop.id)
    return found


async def read_keys(tx: Transaction, *, box: SecretBox) -> list[DemoKey]:
    """The demo partners' keys with their newest secrets. Raises NotFound when there is no demo."""
    views = {(view.channel, view.name): view for view in await list_partners(tx, shop=SHOP)}
    found = []
    for manifest, partner in _partners():
        view = views.get((manifest.name, partner.name))
        if view is None or view.settings.get("demo") is not True:
            raise NotFound(
                "not_found", "There is no demo shop yet; load one with: crossdock demo load"
            )
        found.append(
            await _read_token(tx, partner=partner, view=view, box=box)
            if partner.token
            else await _read_key(tx, partner=partner, view=view, box=box)
        )
    return found


async def _read_key(
    tx: Transaction, *, partner: DemoPartner, view: PartnerView, box: SecretBox
) -> DemoKey:
    for listed in reversed(view.credentials):
        if listed.disabled or not listed.is_test:
            continue
        credential = await read_credential(tx, channel=view.channel, public_key=listed.key, box=box)
        if credential is not None:
            secret = max(credential.secrets, key=lambda secret: secret.id)
            return DemoKey(
                channel=view.channel,
                partner=partner,
                key=credential.public_key,
                secret=secret.value.decode(),
            )
    raise _no_key(view)


async def _read_token(
    tx: Transaction, *, partner: DemoPartner, view: PartnerView, box: SecretBox
) -> DemoKey:
    """The known token, while it is good; the database has its hash alone."""
    for listed in view.credentials:
        credential = await read_credential(
            tx, channel=view.channel, public_key=listed.key, box=box, proof="bearer"
        )
        known = hash_key(partner.token)
        if credential is not None and any(each.value == known for each in credential.secrets):
            return DemoKey(
                channel=view.channel, partner=partner, key=listed.key, secret=partner.token
            )
    raise _no_key(view)


def _no_key(view: PartnerView) -> NotFound:
    return NotFound(
        "not_found",
        f"{view.name} is disabled, or has no active key; see: crossdock partner show {view.id}",
    )


def _partners() -> Iterator[tuple[Manifest, DemoPartner]]:
    """The demo partners of every channel, in the registry's order."""
    for manifest in manifests():
        if manifest.demo:
            yield from ((manifest, partner) for partner in manifest.demo().partners)


def demo_customer_email() -> str:
    """The customer for `partner add --set customer=demo`: that of the first demo partner with one."""
    customers = (partner.customer for _, partner in _partners())
    return next(customer.email for customer in customers if customer)


def shown_keys(
    keys: Iterable[DemoKey],
    *,
    sample: int | None,
    further: Mapping[str, Mapping[str, object]],
) -> dict[str, dict[str, object]]:
    """{name: fields of the printed credentials}; scripts rely on the names, which are mostly channels'."""
    demos = {each.name: each.demo() for each in manifests() if each.demo}
    shown: dict[str, dict[str, object]] = {}
    for key in keys:
        fields = demos[key.channel].show(key.key, key.secret)
        named = {f"{key.partner.prefix}{name}": value for name, value in fields.items()}
        shown.setdefault(key.partner.shown_as or key.channel, {}).update(named)
    for channel, demo in demos.items():
        if sample is not None and demo.show_sample:
            shown.setdefault(channel, {}).update(demo.show_sample(sample))
        if further.get(channel):
            shown.setdefault(channel, {}).update(further[channel])
    return shown


async def _ensure_customer(tx: Transaction, *, shop_id: int, address: Address) -> int:
    known = await find_customer(tx, shop_id=shop_id, who=address.email)
    if known is not None:
        return known.id
    return await add_customer(
        tx, shop_id=shop_id, email=address.email, billing=address, shipping=address
    )


async def find_sample_variant(tx: Transaction) -> int | None:
    """The id of a variant that the demo partner can order many times; None without a demo."""
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
