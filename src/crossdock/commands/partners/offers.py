"""`crossdock partner offers`: visibility, price and purchase limit of variants for a partner."""

from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.partners.lookup import find_partner
from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.terminal import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from crossdock.shop.catalogue import Offer
    from crossdock.shop.partners import Partner


def offers(
    who: Annotated[str, typer.Argument(help="The partner's number, its name, or one of its keys.")],
    skus: Annotated[list[str], typer.Argument(help="SKUs or numbers of variants.")],
    as_json: JsonOption = False,
) -> None:
    """Show a partner's prices and purchase limits of variants now; hidden ones are left out."""

    async def read(runtime: Runtime, tx: Transaction) -> "tuple[Partner, list[Offer]]":
        from crossdock.compose import Services
        from crossdock.shop.catalogue import offers
        from crossdock.shop.partners import read_partner
        from crossdock.shop.stock import find_variant

        found = await find_partner(tx, who=who)
        partner = await read_partner(tx, partner_id=found.id)
        assert partner is not None  # it was found in this transaction
        ids = [await find_variant(tx, shop_id=partner.shop_id, who=sku) for sku in skus]
        return partner, await offers(
            tx,
            partner=partner,
            variant_ids=ids,
            now=runtime.clock.now(),
            own_requires_stock=Services(runtime).own_requires_stock,
        )

    partner, found = with_transaction(read)
    if as_json:
        print_json(found)
        return
    _print(found, currency=partner.currency)
    if not found:
        typer.echo(f"{partner.name} sees none of them: they are of merchants out of its sight.")


def _print(found: "list[Offer]", *, currency: str) -> None:
    from rich.table import Table

    table = Table(
        "Variant", "SKU", "Name", "Sees it", "Price", "Regular", "Own", "Supplier", "May buy"
    )
    for offer in found:
        table.add_row(
            str(offer.id),
            offer.sku,
            offer.name,
            "yes" if offer.visible else "no",
            _amount(offer.price_minor, currency),
            _amount(offer.regular_minor, currency),
            str(offer.own),
            str(offer.supplier),
            "any number" if offer.quantity is None else str(offer.quantity),
        )
    print_table(table)


def _amount(minor: int | None, currency: str) -> str:
    from crossdock.kit.money import format_minor

    return "none" if minor is None else f"{format_minor(minor, currency)} {currency}"
