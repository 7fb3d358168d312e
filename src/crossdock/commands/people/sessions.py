"""`crossdock person invite|sessions|sign-out`, and `crossdock log`: what staff did."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.kit.numbers import counted
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.acts import ActView
    from crossdock.shop.people import NewLink, Person, SessionView

EmailArgument = Annotated[str, typer.Argument(help="The e-mail the person signs in with.")]


def invite(
    email: EmailArgument,
    shop: ShopOption,
    role: Annotated[str, typer.Option("--role", help="owner, manager, warehouse or viewer.")],
    name: Annotated[str, typer.Option(help="The person's name.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Add a member of staff, who chooses a password by a link; it is shown only once."""

    async def run(runtime: Runtime) -> "tuple[Person, NewLink, str]":
        from crossdock.compose import Services
        from crossdock.shop.people import add_person, make_password_link
        from crossdock.shop.shops import read_shop

        async with Services(runtime) as services:
            hashed = await services.people.unguessable_hash()
            async with runtime.database.begin() as tx:
                person = await add_person(
                    tx,
                    shop_id=(await read_shop(tx, slug=shop)).id,
                    email=email,
                    name=name,
                    role=role,
                    password_hash=hashed,
                    now=runtime.clock.now(),
                )
                link = await make_password_link(
                    tx, person_id=person.id, ids=services.ids, now=runtime.clock.now()
                )
            base = runtime.settings.server.public_url.rstrip("/")
            return person, link, f"{base}/console/welcome/token/{link.token}"

    person, link, url = with_runtime(run)
    shown = msgspec.to_builtins(person) | {"url": url, "expires_at": link.expires_at}
    report(
        shown,
        as_json=as_json,
        text=f"{person.email} is invited ({person.role} of {person.shop}).\n"
        f"Link to choose a password, shown this once, until {link.expires_at:%Y-%m-%d %H:%M} UTC:\n{url}",
    )


def sessions(email: EmailArgument, as_json: JsonOption = False) -> None:
    """List where a person is signed in."""

    async def run(runtime: Runtime) -> "list[SessionView]":
        from crossdock.shop.people import find_person, lifetimes_of, list_sessions

        async with runtime.database.statement() as tx:
            person = await find_person(tx, email=email)
            return await list_sessions(
                tx,
                person_id=person.id,
                lives=lifetimes_of(runtime.settings.people),
                now=runtime.clock.now(),
            )

    report_list(
        with_runtime(run),
        as_json=as_json,
        table=_print_sessions,
        none=f"{email} is signed in nowhere.",
    )


def sign_out(email: EmailArgument, as_json: JsonOption = False) -> None:
    """End every session of a person; the password stays."""

    async def run(runtime: Runtime) -> int:
        from crossdock.shop.acts import name_shop
        from crossdock.shop.people import end_sessions, find_person

        async with runtime.database.begin() as tx:
            person = await find_person(tx, email=email)
            name_shop(person.shop)
            return await end_sessions(tx, person_id=person.id)

    ended = with_runtime(run)
    report({"ended": ended}, as_json=as_json, text=f"Ended {counted(ended, 'session')} of {email}.")


def log(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop's.")] = None,
    who: Annotated[str, typer.Option(help="Only of this e-mail.")] = "",
    before: Annotated[int | None, typer.Option(help="Only before this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what staff did on pages and by commands, the newest first."""

    async def run(runtime: Runtime) -> "list[ActView]":
        from crossdock.shop.acts import ActFilters, list_acts
        from crossdock.shop.shops import read_shop

        async with runtime.database.statement() as tx:
            shop_id = (await read_shop(tx, slug=shop)).id if shop else None
            found, _more = await list_acts(
                tx, shop_id=shop_id, filters=ActFilters(actor=who), before=before, limit=limit
            )
            return found

    found = with_runtime(run)
    if as_json:
        print_json(found)
    elif found:
        _print_acts(found)
    else:
        typer.echo("Nothing was done yet.")


def _print_sessions(found: "list[SessionView]") -> None:
    from rich.table import Table

    table = Table("Since", "Last used", "Until")
    for each in found:
        moments = (each.created_at, each.seen_at, each.expires_at)
        table.add_row(*(f"{moment:%Y-%m-%d %H:%M}" for moment in moments))
    print_table(table)


def _print_acts(found: "list[ActView]") -> None:
    from rich.table import Table

    table = Table("Number", "When", "Who", "What", "With")
    for each in found:
        details = ", ".join(f"{name}: {value}" for name, value in each.details.items())
        what = f"{each.act} {each.subject}" if not each.subject.startswith("/") else each.subject
        table.add_row(
            str(each.id), f"{each.done_at:%Y-%m-%d %H:%M:%S}", each.actor, what.strip(), details
        )
    print_table(table)
