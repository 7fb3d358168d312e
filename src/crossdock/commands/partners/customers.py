"""`crossdock customer`: the buyers for whom partners order."""

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.numbers import read_number
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table

if TYPE_CHECKING:
    from crossdock.shop.customers import Customer, CustomerChange

app = typer.Typer(help="The buyers that orders are for.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="The customer's e-mail or number.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="key=value: billing.FIELD, shipping.FIELD, or address.FIELD for both; email, active, "
        "sales_rep. A FIELD is first_name, last_name, company, email, phone, address_1, address_2, "
        "city, state, postcode, country or vat.",
    ),
]
_YES, _NO = {"yes", "true", "on", "1"}, {"no", "false", "off", "0"}


@app.command()
def add(
    shop: ShopOption,
    email: Annotated[str, typer.Option(help="The customer's e-mail, unique in the shop.")],
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a customer. Without shipping.FIELD the billing address is the shipping address too."""
    from crossdock.shop.customers import Address, add_customer, set_customer

    change = _read_change(set_ or [])
    billing = Address(**({"email": email} | change.billing))
    shipping = Address(**change.shipping) if change.shipping else billing

    async def write(_runtime: Runtime, tx: Transaction) -> "Customer":
        shop_id = await _shop_id(tx, slug=shop)
        customer_id = await add_customer(
            tx, shop_id=shop_id, email=email, billing=billing, shipping=shipping
        )
        rest = msgspec.structs.replace(change, billing={}, shipping={})
        await set_customer(tx, shop_id=shop_id, customer_id=customer_id, change=rest)
        return await _read(tx, shop_id=shop_id, who=str(customer_id))

    _show(with_transaction(write), as_json=as_json)


@app.command("list")
def list_(shop: ShopOption, as_json: JsonOption = False) -> None:
    """List the shop's customers, and what prevents orders for them."""
    from crossdock.shop.customers import list_customers

    async def read(_runtime: Runtime, tx: Transaction) -> "list[Customer]":
        return await list_customers(tx, shop_id=await _shop_id(tx, slug=shop))

    customers = with_transaction(read)
    if as_json:
        print_json([_with_missing(customer) for customer in customers])
    elif customers:
        _print_table(customers)
    else:
        typer.echo("There is no customer. Add one with: crossdock customer add --help")


@app.command()
def show(who: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show one customer with both addresses."""

    async def read(_runtime: Runtime, tx: Transaction) -> "Customer":
        return await _read(tx, shop_id=await _shop_id(tx, slug=shop), who=who)

    _show(with_transaction(read), as_json=as_json)


@app.command("set")
def set_(who: Who, shop: ShopOption, set_: SetOption = None, as_json: JsonOption = False) -> None:
    """Change a customer; an empty value clears a field."""
    if not set_:
        raise Invalid("invalid_input", "Say what to change, for example --set billing.city=Miami.")
    _change(who, shop=shop, change=_read_change(set_), as_json=as_json)


@app.command()
def disable(who: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Refuse orders for a customer."""
    _change(who, shop=shop, change=_read_change(["active=no"]), as_json=as_json)


@app.command()
def enable(who: Who, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Accept orders for a customer again."""
    _change(who, shop=shop, change=_read_change(["active=yes"]), as_json=as_json)


def _change(who: str, *, shop: str, change: "CustomerChange", as_json: bool) -> None:
    from crossdock.shop.customers import set_customer

    async def write(_runtime: Runtime, tx: Transaction) -> "Customer":
        shop_id = await _shop_id(tx, slug=shop)
        customer = await _read(tx, shop_id=shop_id, who=who)
        await set_customer(tx, shop_id=shop_id, customer_id=customer.id, change=change)
        return await _read(tx, shop_id=shop_id, who=str(customer.id))

    _show(with_transaction(write), as_json=as_json)


async def _shop_id(tx: Transaction, *, slug: str) -> int:
    from crossdock.shop.shops import read_shop

    return (await read_shop(tx, slug=slug)).id


async def _read(tx: Transaction, *, shop_id: int, who: str) -> "Customer":
    from crossdock.shop.customers import read_customer

    return await read_customer(tx, shop_id=shop_id, who=who)


def _read_change(words: list[str]) -> "CustomerChange":
    """Parse 'key=value' words. Raises Invalid `invalid_input` naming the key."""
    from crossdock.shop.customers import CustomerChange
    from crossdock.shop.partners import split_words

    columns: dict[str, Any] = {}
    addresses: dict[str, dict[str, str]] = {"billing": {}, "shipping": {}}
    for key, text in split_words(words).items():
        kind, _, field = key.partition(".")
        if kind in {*addresses, "address"} and field in _address_fields():
            for name in addresses if kind == "address" else (kind,):
                addresses[name][field] = text
        elif key in {"email", "active", "sales_rep"}:
            columns |= _column(key, text)
        else:
            raise Invalid("invalid_input", _unknown(key))
    return CustomerChange(**columns, billing=addresses["billing"], shipping=addresses["shipping"])


def _column(key: str, text: str) -> dict[str, Any]:
    if key == "email":
        return {"email": text}
    if key == "active":
        if text.lower() not in _YES | _NO:
            raise Invalid("invalid_input", f"active: {text!r} is not yes or no.")
        return {"active": text.lower() in _YES}
    if text.lower() in {"", "none"}:
        return {"sales_rep_id": None}
    number = read_number(text)
    if number is None:
        raise Invalid(
            "invalid_input",
            "sales_rep must be a number that `crossdock sales-rep list` shows, or none.",
        )
    return {"sales_rep_id": number}


def _address_fields() -> tuple[str, ...]:
    from crossdock.shop.customers import Address

    return Address.__struct_fields__


def _unknown(key: str) -> str:
    kinds = ("billing", "shipping", "address")
    known = [f"{kind}.{field}" for kind in kinds for field in _address_fields()]
    near = difflib.get_close_matches(key, [*known, "email", "active", "sales_rep"], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    fields = ", ".join(_address_fields())
    return (
        f"{key!r} is nothing that a customer has.{hint} Known are email, active, sales_rep, and "
        f"billing, shipping or address with a point and one of {fields}."
    )


def _with_missing(customer: "Customer") -> dict[str, Any]:
    return {**msgspec.to_builtins(customer), "missing": customer.missing}


def _show(customer: "Customer", *, as_json: bool) -> None:
    if as_json:
        print_json(_with_missing(customer))
    else:
        typer.echo(f"Customer {customer.id}: {customer.email}")
        typer.echo(f"  active    {'yes' if customer.active else 'no'}")
        typer.echo(f"  sales rep    {customer.sales_rep_id or 'none yet'}")
        for kind in ("billing", "shipping"):
            parts = msgspec.to_builtins(getattr(customer, kind)).values()
            typer.echo(f"  {kind:9} {', '.join(part for part in parts if part) or '-'}")
    if customer.missing:
        missing = ", ".join(customer.missing)
        typer.echo(f"Orders for this customer are refused until it has: {missing}", err=True)


def _print_table(customers: "list[Customer]") -> None:
    from rich.table import Table

    table = Table("Customer", "E-mail", "Company", "City", "Active", "Missing")
    for customer in customers:
        table.add_row(
            str(customer.id),
            customer.email,
            customer.billing.company,
            customer.billing.city,
            "yes" if customer.active else "no",
            ", ".join(customer.missing),
        )
    print_table(table)
