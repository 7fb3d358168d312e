"""The demo's merchant, its reseller with a prepaid balance, and the keys that the reseller buys."""

from typing import Final

from crossdock.channels.contract import Demo, DemoPartner, DemoShop
from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.auth import RESELLER_PREFIX
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage
from crossdock.shop.catalogue import (
    OwnedProduct,
    ProductRecord,
    VariantRecord,
    list_owned,
    upsert_products,
)
from crossdock.shop.partners import Terms, add_credential, set_terms
from crossdock.shop.resellers import (
    Action,
    ProgramChanges,
    Reseller,
    ResellerTerms,
    accept_invitation,
    change_program,
    credit,
    invite,
    list_resellers,
    move_reseller,
    read_balance,
    read_program,
)
from crossdock.shop.shops import read_id_key
from crossdock.shop.stock import add_serials, count_pooled

# Known to everybody, and good for the demo alone.
TEST_KEY = "shx_demoMerchantKey0123456789abcdefgh"  # nosec B105
RESELLER_KEY = "shr_demoResellerKey0123456789abcdefgh"  # nosec B105
RESELLER_EMAIL: Final = "reseller@demo-shop.example"

PRODUCT: Final = ProductRecord(
    handle="demo-game-key",
    name="Game key",
    merchant="Bluepost Electronics",
    currency="USD",
    description="<p>A made-up key, sold once.</p>",
    categories=(("Digital", "Licences"),),
    virtual=True,
    free_shipping=True,
    variants=(VariantRecord(sku="DEMO-GAME-KEY", retail_minor=1_000),),
)
SERIALS: Final = 1_000
BALANCE_MINOR: Final = 1_000_000
DISCOUNT_BP: Final = 3_500
COMMISSION_BP: Final = 1_000

_BACK: Final[dict[str, Action]] = {"suspended": "reactivate", "invited": "approve"}
_FIRST = PlacePage(size=1)


def _show(key: str, secret: str) -> dict[str, object]:
    return {"key": key, "api_key": secret}


def read_me(*, command: str) -> str:
    """A shell command that reads the demo's shop; `command` starts crossdock."""
    return (
        f'eval "$({command} demo credentials --shell)"\n'
        'curl -sS "$base_url/dev/v1/me" -H "Authorization: Bearer $shoppex_dev_api_key"\n'
    )


def fulfil(*, command: str) -> str:
    """A shell command that buys a key for the reseller's shop, once however often it is sent."""
    return (
        f'eval "$({command} demo credentials --shell)"\n'
        'curl -sS "$base_url/reseller/v1/fulfillments" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -H "Authorization: Bearer $shoppex_reseller_api_key" \\\n'
        '  --data \'{"external_order_id": "order-1001", "customer_email": "buyer@example.com",'
        ' "product_id": "\'"$shoppex_reseller_product_id"\'"}\'\n'
    )


def _requests(command: str, _variant_id: int) -> list[tuple[str, str]]:
    return [
        ("Read the shop of a merchant's key", read_me(command=command)),
        ("Buy a key for a reseller's shop", fulfil(command=command)),
    ]


async def _ensure(tx: Transaction, shop: DemoShop) -> int:
    """Switch the programme on, and fill stock and balance up."""
    changed = await _ensure_program(tx, shop=shop)
    changed += await _ensure_product(tx, shop=shop)
    reseller = await _find_reseller(tx, shop_id=shop.shop.id)
    if reseller is None:
        reseller = await _add_reseller(tx, shop=shop)
        changed += 1
    elif reseller.status in _BACK:
        action = _BACK[reseller.status]
        await move_reseller(
            tx, shop_id=shop.shop.id, reseller_id=reseller.id, action=action, now=shop.now
        )
        changed += 1
    return changed + await _ensure_balance(tx, shop=shop, reseller_id=reseller.id)


async def _ensure_program(tx: Transaction, *, shop: DemoShop) -> int:
    if (await read_program(tx, shop_id=shop.shop.id)).enabled:
        return 0
    changes = ProgramChanges(
        enabled=True,
        default_mode="both",
        default_discount_bp=DISCOUNT_BP,
        default_commission_bp=COMMISSION_BP,
    )
    await change_program(tx, shop_id=shop.shop.id, changes=changes, now=shop.now)
    return 1


async def _ensure_product(tx: Transaction, *, shop: DemoShop) -> int:
    shop_id, now = shop.shop.id, shop.now
    counts = await upsert_products(tx, shop=shop.shop, records=[PRODUCT], now=now, reason="demo")
    product = await _find_product(tx, shop_id=shop_id)
    assert product is not None  # it was just written
    variant_id = product.variants[0].id
    missing = SERIALS - await count_pooled(tx, shop_id=shop_id, variant_id=variant_id)
    if missing > 0:
        await add_serials(
            tx,
            shop_id=shop_id,
            variant_id=variant_id,
            serials=[shop.new_serial() for _ in range(missing)],
            box=shop.box,
            now=now,
        )
    return counts.products_added + counts.products_changed + max(missing, 0)


async def _add_reseller(tx: Transaction, *, shop: DemoShop) -> Reseller:
    """From the invitation to a key that is known, and bound by no limit of calls."""
    invited = await invite(
        tx,
        shop_id=shop.shop.id,
        email=RESELLER_EMAIL,
        terms=ResellerTerms(mode="both"),
        ids=shop.ids,
        now=shop.now,
    )
    reseller = await accept_invitation(
        tx, token=invited.token, channel=NAME, ids=shop.ids, now=shop.now
    )
    settings = {"demo": True, "rate_limit_per_minute": 0}
    await set_terms(tx, partner_id=reseller.partner_id, terms=Terms(settings=settings))
    await add_credential(
        tx,
        partner_id=reseller.partner_id,
        ids=shop.ids,
        box=shop.box,
        proof="bearer",
        prefix=RESELLER_PREFIX,
        is_test=True,
        secret=RESELLER_KEY,
    )
    return reseller


async def _ensure_balance(tx: Transaction, *, shop: DemoShop, reseller_id: int) -> int:
    held = await read_balance(tx, shop_id=shop.shop.id, reseller_id=reseller_id)
    missing = BALANCE_MINOR - held.balance_minor
    if missing <= 0:
        return 0
    await credit(
        tx,
        shop_id=shop.shop.id,
        reseller_id=reseller_id,
        amount_minor=missing,
        now=shop.now,
    )
    return 1


async def _show_further(tx: Transaction, shop_id: int) -> dict[str, object]:
    """The reseller's key, and what it may buy; nothing before they are loaded."""
    reseller = await _find_reseller(tx, shop_id=shop_id)
    product = await _find_product(tx, shop_id=shop_id)
    if reseller is None or product is None:
        return {}
    ids = WireIds(bytes(await read_id_key(tx, shop_id=shop_id)))
    return {
        "api_key": RESELLER_KEY,
        "relationship_id": ids.write(Kind.RELATIONSHIP, reseller.id),
        "product_id": ids.write(Kind.PRODUCT, product.id),
    }


async def _find_reseller(tx: Transaction, *, shop_id: int) -> Reseller | None:
    """The newest with the demo's address, even one that was terminated, whose key never works again."""
    found = await list_resellers(tx, shop_id=shop_id, page=_FIRST, email=RESELLER_EMAIL)
    return found[0] if found else None


async def _find_product(tx: Transaction, *, shop_id: int) -> OwnedProduct | None:
    found = await list_owned(
        tx, shop_id=shop_id, merchant_ids=None, page=_FIRST, search=PRODUCT.handle
    )
    return found[0] if found else None


DEMO = Demo(
    partners=(DemoPartner(name="Demo merchant", shown_as="shoppex_dev", token=TEST_KEY),),
    show=_show,
    requests=_requests,
    ensure=_ensure,
    show_further=_show_further,
)
