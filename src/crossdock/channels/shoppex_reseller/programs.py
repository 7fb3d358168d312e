"""`/dev/v1/reseller-program`: the shop's settings of the programme (spec section 6.2)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.custom_fields import is_web_address
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, iso, number, one, percent
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.resellers import (
    Mode,
    Program,
    ProgramChanges,
    change_program,
    read_program,
)

MODES: Final[dict[str, Mode]] = {"AFFILIATE": "affiliate", "STOCK": "stock", "BOTH": "both"}
MODES_READ: Final[dict[str, Mode]] = MODES | {"WHOLESALE": "stock"}
"""What is read as a mode; a playbook of the vendor's calls `STOCK` otherwise."""

URL_LENGTH_MAX: Final = 2_000


class ShownProgram(msgspec.Struct, kw_only=True):
    """The settings as they are told; the times are null where they were never set."""

    id: str
    shop_id: str
    is_enabled: bool
    default_mode: str
    default_commission_percent: Decimal | None
    default_wholesale_discount_percent: Decimal | None
    min_payout_threshold: Decimal | None
    require_verification: bool
    terms_url: str | None
    created_at: str | None
    updated_at: str | None


def show_mode(mode: Mode) -> str:
    """The mode in capitals."""
    return mode.upper()


async def get_program(call: Call, tx: Transaction) -> Reply:
    """The settings, or the defaults."""
    return one(_show(call, await read_program(tx, shop_id=call.shop_id)))


async def patch_program(call: Call, tx: Transaction) -> Reply:
    """Change what is given; null clears what may be cleared."""
    program = await change_program(
        tx, shop_id=call.shop_id, changes=read_changes(call), now=call.now
    )
    return one(_show(call, program))


def read_changes(call: Call) -> ProgramChanges:
    """The changes of a body. Raises WireError VALIDATION_ERROR."""
    fields = call.fields()
    read: dict[str, tuple[str, Any]] = {
        "is_enabled": ("enabled", fields.flag("is_enabled")),
        "default_mode": ("default_mode", fields.choice("default_mode", MODES_READ)),
        "default_commission_percent": (
            "default_commission_bp",
            fields.percent("default_commission_percent", nullable=True),
        ),
        "default_wholesale_discount_percent": (
            "default_discount_bp",
            fields.percent("default_wholesale_discount_percent", nullable=True),
        ),
        "min_payout_threshold": (
            "min_payout_minor",
            fields.amount("min_payout_threshold", currency=call.currency, nullable=True),
        ),
        "require_verification": ("requires_verification", fields.flag("require_verification")),
        "terms_url": (
            "terms_url",
            fields.text("terms_url", nullable=True, longest=URL_LENGTH_MAX),
        ),
    }
    url = read["terms_url"][1]
    if url is not None and not is_web_address(url):
        fields.refuse("terms_url", "must be an http(s) URL")
    fields.check()
    given = {name: value for field, (name, value) in read.items() if fields.given(field)}
    return ProgramChanges(**given)


def _show(call: Call, program: Program) -> ShownProgram:
    return ShownProgram(
        id=call.ids.write(Kind.PROGRAM, program.shop_id),
        shop_id=call.ids.write(Kind.SHOP, program.shop_id),
        is_enabled=program.enabled,
        default_mode=show_mode(program.default_mode),
        default_commission_percent=percent(program.default_commission_bp),
        default_wholesale_discount_percent=percent(program.default_discount_bp),
        min_payout_threshold=number(program.min_payout_minor, call.currency),
        require_verification=program.requires_verification,
        terms_url=program.terms_url,
        created_at=iso(program.created_at),
        updated_at=iso(program.updated_at),
    )


_BODY: Final[dict[str, dict[str, Any]]] = {
    "is_enabled": {"type": "boolean"},
    "default_mode": {"type": "string", "enum": [*MODES]},
    "default_commission_percent": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
    "default_wholesale_discount_percent": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 100,
    },
    "min_payout_threshold": {"type": ["number", "null"], "minimum": 0},
    "require_verification": {"type": "boolean"},
    "terms_url": {"type": ["string", "null"], "format": "uri"},
}
ROUTES: Final = (
    Route(
        method="GET",
        covers="shop",
        path=f"{DEV}/reseller-program",
        name="getResellerProgram",
        summary="The settings of the reseller programme.",
        scope="reseller_programs.read",
        reads=get_program,
        answer=ShownProgram,
    ),
    Route(
        method="PATCH",
        covers="shop",
        path=f"{DEV}/reseller-program",
        name="updateResellerProgram",
        summary="Change settings of the reseller programme; absent ones stay, null clears.",
        scope="reseller_programs.write",
        writes=patch_program,
        answer=ShownProgram,
        body=_BODY,
    ),
)
