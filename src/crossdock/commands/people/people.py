"""`crossdock person`: people who sign in to the console, and their roles."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.people import sessions
from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.people import Person

app = typer.Typer(help="People who sign in to the console.", no_args_is_help=True)

EmailArgument = Annotated[str, typer.Argument(help="The e-mail the person signs in with.")]
RoleOption = Annotated[str, typer.Option("--role", help="owner, manager, warehouse or viewer.")]
PartnerOption = Annotated[
    str, typer.Option("--partner", help="The partner's number or name, for one of its people.")
]
StdinOption = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input, one line."),
]
_GENERATED_LENGTH = 20


@app.command()
def add(
    email: EmailArgument,
    shop: ShopOption = "",
    role: RoleOption = "",
    partner: PartnerOption = "",
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    password_stdin: StdinOption = False,
    as_json: JsonOption = False,
) -> None:
    """Add a person: of a shop's staff with --shop and --role, or of a partner with --partner.

    Without --password-stdin a password is generated and shown only once.
    """
    if bool(partner) == bool(shop) or bool(shop) != bool(role):
        raise Invalid("invalid_input", "Give --shop and --role, or --partner alone.")
    password = _read_password() if password_stdin else _make_password()

    async def run(runtime: Runtime) -> "Person":
        from crossdock.commands.partners.lookup import find_partner
        from crossdock.shop.people import add_person
        from crossdock.shop.shops import read_shop

        hashed = await _hashed(password, email=email)
        async with runtime.database.begin() as tx:
            whose = await find_partner(tx, who=partner) if partner else None
            return await add_person(
                tx,
                shop_id=(await read_shop(tx, slug=whose.shop if whose else shop)).id,
                partner_id=whose.id if whose else None,
                email=email,
                name=name,
                role=role,
                password_hash=hashed,
                now=runtime.clock.now(),
            )

    person = with_runtime(run)
    _show(
        person,
        password="" if password_stdin else password,
        done="is added",
        as_json=as_json,
    )


@app.command("list")
def list_(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List all people, including disabled ones."""

    async def run(runtime: Runtime) -> "list[Person]":
        from crossdock.shop.people import list_people
        from crossdock.shop.shops import read_shop

        async with runtime.database.statement() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id if shop else None
            return await list_people(tx, shop_id=shop_id)

    people = with_runtime(run)
    report_list(
        people,
        as_json=as_json,
        table=_print_table,
        none="Nobody signs in yet. See: crossdock person add --help",
    )


@app.command("set-role")
def set_role_(
    email: EmailArgument,
    role: Annotated[str, typer.Argument(help="owner, manager, warehouse or viewer.")],
    as_json: JsonOption = False,
) -> None:
    """Set another role; it applies from the person's next request on."""

    async def change(tx: Transaction, person: "Person") -> None:
        from crossdock.shop.people import set_role

        await set_role(tx, person_id=person.id, role=role)

    _show(_changed(email, change=change), done=f"is {role} now", as_json=as_json)


@app.command("reset-password")
def reset_password(
    email: EmailArgument, password_stdin: StdinOption = False, as_json: JsonOption = False
) -> None:
    """Set a new password and end the person's sessions; a generated one is shown only once."""
    password = _read_password() if password_stdin else _make_password()

    async def change(tx: Transaction, person: "Person") -> None:
        from crossdock.shop.people import set_password_hash

        hashed = await _hashed(password, email=person.email)
        await set_password_hash(tx, person_id=person.id, password_hash=hashed)

    _show(
        _changed(email, change=change),
        password="" if password_stdin else password,
        done="has a new password",
        as_json=as_json,
    )


@app.command()
def disable(email: EmailArgument, as_json: JsonOption = False) -> None:
    """Refuse a person's sign-in and end their sessions at once."""

    async def change(tx: Transaction, person: "Person") -> None:
        from crossdock.shop.people import disable_person

        await disable_person(tx, person_id=person.id)

    _show(_changed(email, change=change), done="is disabled", as_json=as_json)


@app.command()
def enable(email: EmailArgument, as_json: JsonOption = False) -> None:
    """Allow a disabled person to sign in again."""

    async def change(tx: Transaction, person: "Person") -> None:
        from crossdock.shop.people import enable_person

        await enable_person(tx, person_id=person.id)

    _show(_changed(email, change=change), done="may sign in again", as_json=as_json)


@app.command("reset-totp")
def reset_totp(email: EmailArgument, as_json: JsonOption = False) -> None:
    """Turn the second factor off, for somebody who lost phone and recovery codes."""

    async def change(tx: Transaction, person: "Person") -> None:
        from crossdock.shop.people import clear_totp

        await clear_totp(tx, person_id=person.id)

    _show(_changed(email, change=change), done="signs in without a code now", as_json=as_json)


def _changed(email: str, *, change: "Callable[[Transaction, Person], Awaitable[None]]") -> "Person":
    """Find the person, change it in one transaction, and read it again."""

    async def run(runtime: Runtime) -> "Person":
        from crossdock.shop.acts import name_shop
        from crossdock.shop.people import find_person

        async with runtime.database.begin() as tx:
            person = await find_person(tx, email=email)
            name_shop(person.shop)
            await change(tx, person)
            return await find_person(tx, email=email)

    return with_runtime(run)


async def _hashed(password: str, *, email: str) -> str:
    from crossdock.kit.passwords import Hasher
    from crossdock.shop.people import check_password

    check_password(password, email=email)
    return await Hasher().hash(password)


def _make_password() -> str:
    from crossdock.kit.ids import RandomIds

    return RandomIds().random_token(_GENERATED_LENGTH)


def _read_password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _show(person: "Person", *, done: str, password: str = "", as_json: bool) -> None:
    if as_json:
        shown = msgspec.to_builtins(person) | ({"password": password} if password else {})
        print_json(shown)
        return
    what = person.role if person.partner_id is None else f"partner {person.partner_id}"
    typer.echo(f"{person.email} {done} ({what} of {person.shop}).")
    if password:
        typer.echo(f"Password, shown this once: {password}")


def _print_table(people: "list[Person]") -> None:
    from rich.table import Column, Table

    headings = ("Name", "Role", "Second step", "State", "Last seen")
    table = Table("Shop", Column("E-mail", no_wrap=True), *headings)
    for person in people:
        seen = person.last_seen_at
        table.add_row(
            person.shop,
            person.email,
            person.name,
            person.role if person.partner_id is None else f"partner {person.partner_id}",
            "on" if person.has_totp else "off",
            "active" if person.active else "disabled",
            f"{seen:%Y-%m-%d %H:%M}" if seen else "",
        )
    print_table(table)


app.command()(sessions.invite)
app.command("sessions")(sessions.sessions)
app.command("sign-out")(sessions.sign_out)
