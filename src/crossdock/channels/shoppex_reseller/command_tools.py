"""What the commands of resellers share: how one is found, and how it is told."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.kit.numbers import read_number
from crossdock.terminal import CommandLine, report

if TYPE_CHECKING:
    from crossdock.channels.shoppex_reseller.ids import ShopIds
    from crossdock.shop.resellers import Reseller

T = TypeVar("T")
Found = dict[str, Any]
Who = Annotated[
    str, typer.Argument(help="The relationship's id, or its number.", metavar="RESELLER")
]


def run(context: typer.Context, action: Callable[[Runtime, Transaction], Awaitable[T]]) -> T:
    """Run an action in a transaction."""
    line: CommandLine = context.obj

    async def act(runtime: Runtime) -> T:
        async with runtime.database.begin() as tx:
            return await action(runtime, tx)

    return line.with_runtime(act)


async def shop_id_of(tx: Transaction, slug: str) -> int:
    """The shop's number. Raises NotFound `not_found`."""
    from crossdock.shop.shops import read_shop

    return (await read_shop(tx, slug=slug)).id


def ids_of(runtime: Runtime) -> "ShopIds":
    """The ids of the API."""
    from crossdock.channels.shoppex_reseller.ids import ShopIds

    return ShopIds(runtime.database)


async def find_reseller(runtime: Runtime, tx: Transaction, who: str) -> tuple[int, int, str]:
    """(shop, number, id) of the relationship that the text names. Raises NotFound."""
    from crossdock.channels.shoppex_reseller.ids import Kind
    from crossdock.errors import NotFound
    from crossdock.shop.resellers import find_shop_of
    from crossdock.shop.shops import list_shops

    ids = ids_of(runtime)
    if (number := read_number(who)) is not None:
        shop_id = await find_shop_of(tx, reseller_id=number)
        return shop_id, number, (await ids.of(shop_id)).write(Kind.RELATIONSHIP, number)
    for shop in await list_shops(tx):
        found = (await ids.of(shop.id)).find(Kind.RELATIONSHIP, who)
        if found is not None:
            return shop.id, found, who
    raise NotFound("not_found", f"There is no reseller {who!r:.60}; see: crossdock reseller list")


async def describe(runtime: Runtime, reseller: "Reseller") -> Found:
    """A relationship in a line."""
    from crossdock.channels.shoppex_reseller.ids import Kind

    ids = await ids_of(runtime).of(reseller.shop_id)
    return {
        "relationship_id": ids.write(Kind.RELATIONSHIP, reseller.id),
        "number": reseller.id,
        "email": reseller.email,
        "status": reseller.status,
        "mode": reseller.mode,
        "partner_id": reseller.partner_id,
        "attribution_code": reseller.attribution_code,
    }


def tell(found: Found, *, as_json: bool) -> None:
    """Print what a command found."""
    report(
        found,
        as_json=as_json,
        text="\n".join(
            f"{name}: {'' if value is None else value}" for name, value in found.items()
        ),
    )
