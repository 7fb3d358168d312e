"""`crossdock ticket`: what partners' buyers complain of or ask."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.orders.ticket_tables import print_tickets, show_ticket
from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_json, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.deliveries import Delivery
    from crossdock.shop.tickets import Action, Comment, Moved, Ticket

app = typer.Typer(help="Tickets: what partners' buyers complain of or ask.", no_args_is_help=True)

TicketName = Annotated[
    str,
    typer.Argument(help="The ticket's number, or the id that its partner sees.", metavar="TICKET"),
]
TextOption = Annotated[
    str | None, typer.Option("--text", help="What is written; - reads it from standard input.")
]
ByOption = Annotated[
    str | None,
    typer.Option(
        "--by", help="The e-mail of the agent who writes it; else whom it is assigned to."
    ),
]


@app.command("list")
def list_(
    shop: ShopOption,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only new, open, pending, hold, solved or closed; more than once for several."
        ),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only exchange, refund or question.")] = None,
    partner: Annotated[
        int | None, typer.Option(help="Only of this partner, by its number.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List the newest tickets of a shop."""
    from crossdock.shop.tickets import KINDS, STATES, Span, list_tickets

    for each in state or ():
        _check(each, known=STATES, option="--state")
    known_kind = next((known for known in KINDS if known == kind), None)
    if kind is not None and known_kind is None:
        _check(kind, known=KINDS, option="--kind")

    async def run(runtime: Runtime) -> "tuple[Ticket, ...]":
        async with runtime.database.statement() as tx:
            page = await list_tickets(
                tx,
                shop_id=await shop_id_of(tx, shop),
                span=Span(limit=limit),
                partner_id=partner,
                kind=known_kind,
                states=state or None,
            )
            return page.tickets

    tickets = list(with_runtime(run))
    report_list(tickets, as_json=as_json, table=print_tickets, none="There is no such ticket.")


@app.command()
def show(ticket: TicketName, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show a ticket, its comments, and whether the partner was told of each."""
    from crossdock.shop.tickets import CommentSpan, list_comments, list_told, read_ticket

    async def run(
        runtime: Runtime,
    ) -> "tuple[Ticket, tuple[Comment, ...], dict[int, Delivery]]":
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, shop)
            ticket_id = await _ticket_id(tx, shop_id=shop_id, name=ticket)
            found = await read_ticket(tx, shop_id=shop_id, ticket_id=ticket_id)
            newest = CommentSpan(from_end=True)
            pages = await list_comments(tx, shop_id=shop_id, ticket_ids=[ticket_id], span=newest)
            told = await list_told(tx, shop_id=shop_id, ticket_id=ticket_id)
            return found, pages[ticket_id].comments, told

    found, comments, told = with_runtime(run)
    if not as_json:
        show_ticket(found, comments=comments, told=told)
        return
    shown = [
        msgspec.structs.asdict(comment) | {"delivery": told.get(comment.id)} for comment in comments
    ]
    print_json({"ticket": found, "comments": shown})


@app.command()
def assign(
    ticket: TicketName,
    shop: ShopOption,
    to: Annotated[str, typer.Option("--to", help="The agent's e-mail.")],
    as_json: JsonOption = False,
) -> None:
    """Assign a ticket to an agent; a new one is open from then on."""
    _act("assign", ticket, shop=shop, by=to, as_json=as_json)


@app.command()
def reply(
    ticket: TicketName,
    shop: ShopOption,
    text: TextOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write to the requester; the ticket's state stays."""
    _act("answer", ticket, shop=shop, by=by, text=_required(text), as_json=as_json)


@app.command()
def ask(
    ticket: TicketName,
    shop: ShopOption,
    text: TextOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the requester something; the ticket is pending until it replies."""
    _act("ask", ticket, shop=shop, by=by, text=_required(text), as_json=as_json)


@app.command()
def hold(
    ticket: TicketName,
    shop: ShopOption,
    text: TextOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a ticket on hold while a third party has to act; --text tells the requester."""
    _act("hold", ticket, shop=shop, by=by, text=_given(text), as_json=as_json)


@app.command()
def solve(
    ticket: TicketName,
    shop: ShopOption,
    text: TextOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Solve a ticket; a reply reopens it until it is closed. --text tells the requester."""
    _act("solve", ticket, shop=shop, by=by, text=_given(text), as_json=as_json)


def _act(
    action: "Action",
    ticket: str,
    *,
    shop: str,
    by: str | None,
    as_json: bool,
    text: str | None = None,
) -> None:
    from crossdock.shop.tickets import act, find_agent, read_ticket

    async def write(runtime: Runtime, tx: Transaction) -> "tuple[int, Moved, str]":
        shop_id = await shop_id_of(tx, shop)
        ticket_id = await _ticket_id(tx, shop_id=shop_id, name=ticket)
        email = by or (await read_ticket(tx, shop_id=shop_id, ticket_id=ticket_id)).assignee
        agent = await find_agent(tx, shop_id=shop_id, email=email) if email else None
        moved = await act(
            tx,
            shop_id=shop_id,
            ticket_id=ticket_id,
            action=action,
            by=agent,
            content=text,
            now=runtime.clock.now(),
        )
        return ticket_id, moved, email

    ticket_id, moved, email = with_transaction(write)
    facts = {"id": ticket_id, "by": email, **msgspec.structs.asdict(moved)}
    said = f"Ticket {ticket_id} is {moved.after}"
    said += f", with {email}" if action == "assign" else ""
    said += f"; comment {moved.comment} is written" if moved.comment else ""
    report(facts, as_json=as_json, text=f"{said}.")


async def _ticket_id(tx: Transaction, *, shop_id: int, name: str) -> int:
    from crossdock.channels.registry import ticket_kinds
    from crossdock.shop.tickets import find_ticket_id

    return await find_ticket_id(tx, shop_id=shop_id, name=name, opaque_kinds=ticket_kinds())


def _given(text: str | None) -> str | None:
    """The text of the option, or of standard input."""
    return typer.get_text_stream("stdin").read().strip() if text == "-" else text


def _required(text: str | None) -> str:
    found = _given(text)
    if not found:
        raise Invalid("invalid_input", "Say what to write with --text.")
    return found


def _check(word: str, *, known: tuple[str, ...], option: str) -> None:
    if word not in known:
        raise Invalid("invalid_input", f"{option} must be one of {', '.join(known)}.")
