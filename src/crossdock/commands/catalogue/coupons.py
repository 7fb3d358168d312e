"""`crossdock coupon`: coupons that lower prices or make shipping free."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.money import format_minor, parse_amount, parse_rate_bp
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.pricing import Coupon, CouponTerms
    from crossdock.shop.shops import Shop

app = typer.Typer(help="Coupons that lower prices or make shipping free.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The coupon's code.")]
MaxUses = Annotated[
    int | None, typer.Option(help="How many orders may use it; without, any number.")
]
Starts = Annotated[
    str | None, typer.Option(help="From when on, such as 2026-12-01 or 2026-12-01T08:00.")
]
Ends = Annotated[str | None, typer.Option(help="Until when, exclusive.")]


@app.command()
def add(
    code: Code,
    shop: ShopOption,
    amount_off: Annotated[
        str | None, typer.Option(help="What it takes off a unit's price, such as 5.00.")
    ] = None,
    percent_off: Annotated[
        str | None, typer.Option(help="What it takes off in percent, such as 12.5.")
    ] = None,
    free_shipping: Annotated[
        bool, typer.Option("--free-shipping", help="It makes the unit's shipping free.")
    ] = False,
    above: Annotated[str, typer.Option(help="Only for units that cost more than this.")] = "0",
    max_uses: MaxUses = None,
    merchant: Annotated[
        str | None, typer.Option(help="Only for this merchant's goods: name, slug or number.")
    ] = None,
    product: Annotated[
        str, typer.Option(help="Only for this product of the merchant: its handle.")
    ] = "",
    starts: Starts = None,
    ends: Ends = None,
    as_json: JsonOption = False,
) -> None:
    """Add a coupon, in one of three kinds. Of several, a price takes the one that lowers it most."""
    from crossdock.shop.catalogue import read_merchant
    from crossdock.shop.pricing import add_coupon
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime, tx: Transaction) -> "Coupon":
        found = await read_shop(tx, slug=shop)
        seller = await read_merchant(tx, shop_id=found.id, who=merchant) if merchant else None
        return await add_coupon(
            tx,
            shop_id=found.id,
            terms=_terms(code, found, amount_off, percent_off, free_shipping, above),
            merchant_id=None if seller is None else seller.id,
            product=product,
            starts_at=_moment(starts, found, "starts"),
            ends_at=_moment(ends, found, "ends"),
            max_uses=max_uses,
            now=runtime.clock.now(),
        )

    coupon = with_transaction(write)
    report(coupon, as_json=as_json, text=f"Coupon {code} is added: {_what(coupon)}.")


@app.command("add-code")
def add_code_(
    code: Code,
    shop: ShopOption,
    amount_off: Annotated[
        str | None, typer.Option(help="What it takes off an order, such as 5.00.")
    ] = None,
    percent_off: Annotated[
        str | None, typer.Option(help="What it takes off the goods in percent, such as 12.5.")
    ] = None,
    min_order: Annotated[str, typer.Option(help="What the order's goods cost at least.")] = "0",
    max_discount: Annotated[
        str | None, typer.Option(help="The most that it takes off an order.")
    ] = None,
    max_uses: MaxUses = None,
    merchant: Annotated[
        str | None, typer.Option(help="Only for this merchant's goods: name, slug or number.")
    ] = None,
    starts: Starts = None,
    ends: Ends = None,
    as_json: JsonOption = False,
) -> None:
    """Add a coupon that lowers an order whose buyer names it, and no price."""
    from crossdock.shop.catalogue import read_merchant
    from crossdock.shop.pricing import CodeTerms, add_code
    from crossdock.shop.shops import read_shop

    async def write(runtime: Runtime, tx: Transaction) -> "Coupon":
        found = await read_shop(tx, slug=shop)
        seller = await read_merchant(tx, shop_id=found.id, who=merchant) if merchant else None
        what = _terms(code, found, amount_off, percent_off, False, "0")
        terms = CodeTerms(
            code=code,
            amount_minor=what.amount_minor,
            percent_bp=what.percent_bp,
            min_order_minor=parse_amount(min_order, currency=found.currency),
            max_discount_minor=None
            if max_discount is None
            else parse_amount(max_discount, currency=found.currency),
            max_uses=max_uses,
            merchant_ids=None if seller is None else (seller.id,),
            starts_at=_moment(starts, found, "starts"),
            ends_at=_moment(ends, found, "ends"),
        )
        return await add_code(tx, shop_id=found.id, terms=terms, now=runtime.clock.now())

    coupon = with_transaction(write)
    text = f"Coupon {coupon.code} is added: {_what(coupon)}."
    report(coupon, as_json=as_json, text=text)


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's coupons."""
    from crossdock.shop.pricing import list_coupons

    async def read(_runtime: Runtime, tx: Transaction) -> "list[Coupon]":
        return await list_coupons(tx, shop_id=await shop_id_of(tx, shop))

    report_list(
        with_transaction(read), as_json=as_json, table=_print_table, none="There is no coupon."
    )


@app.command()
def disable(code: Code, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Stop a coupon; prices are without it at once."""
    _switch(code, shop, enabled=False, as_json=as_json)


@app.command()
def enable(code: Code, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Let a disabled coupon run again."""
    _switch(code, shop, enabled=True, as_json=as_json)


def _switch(code: str, shop: str, *, enabled: bool, as_json: bool) -> None:
    from crossdock.shop.pricing import enable_coupon

    async def write(runtime: Runtime, tx: Transaction) -> "Coupon":
        return await enable_coupon(
            tx,
            shop_id=await shop_id_of(tx, shop),
            code=code,
            enabled=enabled,
            now=runtime.clock.now(),
        )

    coupon = with_transaction(write)
    state = "enabled" if coupon.enabled else "disabled"
    report(coupon, as_json=as_json, text=f"Coupon {code} is {state}.")


def _terms(
    code: str,
    shop: "Shop",
    amount_off: str | None,
    percent_off: str | None,
    free_shipping: bool,
    above: str,
) -> "CouponTerms":
    from crossdock.shop.pricing import CouponTerms

    if (amount_off is not None) + (percent_off is not None) + free_shipping != 1:
        message = "Give one of --amount-off, --percent-off and --free-shipping."
        raise Invalid("invalid_input", message, {"field": "kind"})
    threshold = parse_amount(above, currency=shop.currency)
    if amount_off is not None:
        amount = parse_amount(amount_off, currency=shop.currency)
        return CouponTerms(
            code=code, kind="amount_off", threshold_minor=threshold, amount_minor=amount
        )
    if percent_off is not None:
        rate = parse_rate_bp(percent_off)
        return CouponTerms(
            code=code, kind="percent_off", threshold_minor=threshold, percent_bp=rate
        )
    return CouponTerms(code=code, kind="free_shipping", threshold_minor=threshold)


def _moment(text: str | None, shop: "Shop", field: str) -> datetime | None:
    """A time as the shop writes it: in its time zone, unless it names one."""
    from crossdock.kit.zones import zone_named

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        message = f"{text!r} is no date or time, such as 2026-12-01 or 2026-12-01T08:00."
        raise Invalid("invalid_input", message, {"field": field}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_named(shop.time_zone))


def _what(coupon: "Coupon") -> str:
    what = {
        "amount_off": f"{format_minor(coupon.amount_minor or 0, coupon.currency)} {coupon.currency} off",
        "percent_off": f"{(coupon.percent_bp or 0) / 100:g} % off",
        "free_shipping": "free shipping",
    }[coupon.kind]
    above = format_minor(coupon.threshold_minor, coupon.currency)
    what += f" above {above} {coupon.currency}" if coupon.threshold_minor else ""
    return f"{what}, by code" if coupon.given == "code" else what


def _print_table(coupons: "list[Coupon]") -> None:
    from rich.table import Column, Table

    what, uses = (Column(name, no_wrap=True) for name in ("What", "Uses"))
    table = Table("Code", what, "For", uses, "From (UTC)", "Until (UTC)", "On")
    for coupon in coupons:
        times = (coupon.starts_at, coupon.ends_at)
        shown = (f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in times)
        table.add_row(
            coupon.code,
            _what(coupon),
            _scope(coupon),
            _uses(coupon),
            *shown,
            "yes" if coupon.enabled else "no",
        )
    print_table(table)


def _scope(coupon: "Coupon") -> str:
    if coupon.product_ids is not None:
        return f"{counted(len(coupon.product_ids), 'product')}"
    if coupon.merchant_ids is not None:
        return f"{counted(len(coupon.merchant_ids), 'merchant')}"
    return " / ".join(filter(None, (coupon.merchant, coupon.product))) or "the whole shop"


def _uses(coupon: "Coupon") -> str:
    if coupon.max_uses is not None:
        return f"{coupon.used_count} of {coupon.max_uses}"
    return str(coupon.used_count) if coupon.given == "code" else "-"
