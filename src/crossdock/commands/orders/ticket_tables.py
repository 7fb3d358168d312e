"""Print tickets on a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from crossdock.kit.numbers import counted
from crossdock.terminal import print_table

if TYPE_CHECKING:
    from crossdock.shop.deliveries import Delivery
    from crossdock.shop.tickets import Comment, Ticket


def print_tickets(tickets: "Sequence[Ticket]") -> None:
    """Print one line per ticket."""
    from rich.table import Column, Table

    opened = Column("Opened", no_wrap=True)
    table = Table(
        "Ticket", opened, "Partner", "Kind", "State", "Requester", "Assigned to", "Comments"
    )
    for ticket in tickets:
        table.add_row(
            str(ticket.id),
            f"{ticket.created_at:%Y-%m-%d %H:%M}",
            str(ticket.partner_id),
            ticket.kind,
            ticket.state,
            ticket.email,
            ticket.assignee,
            str(ticket.comment_count),
        )
    print_table(table)


def show_ticket(
    ticket: "Ticket", *, comments: "Sequence[Comment]", told: "Mapping[int, Delivery]"
) -> None:
    """Print a ticket with its comments, oldest first."""
    for name, text in _facts(ticket).items():
        typer.echo(f"{name:15}{text}")
    for comment in comments:
        who = comment.person or comment.author
        typer.echo(f"\n{comment.number}. {who}, {comment.created_at:%Y-%m-%d %H:%M}")
        for line in comment.content.splitlines():
            typer.echo(f"   {line}")
        if comment.id in told:
            typer.echo(f"   [{_told(told[comment.id])}]")


def _facts(ticket: "Ticket") -> dict[str, str]:
    return {
        "ticket": str(ticket.id),
        "kind": ticket.kind,
        "state": ticket.state,
        "partner": str(ticket.partner_id),
        "requester": f"{ticket.first_name} {ticket.last_name} <{ticket.email}>",
        "assigned to": ticket.assignee or "nobody",
        "reason": ticket.reason,
        "problem": ticket.problem_type or "",
        "item": ticket.item_delivery or "",
        "remark": ticket.remark,
        "order lines": ", ".join(f"{line.order_id}/{line.line_no}" for line in ticket.lines),
        "images": ", ".join(map(str, ticket.image_ids)),
        "opened": f"{ticket.created_at:%Y-%m-%d %H:%M}",
        "last change": f"{ticket.updated_at:%Y-%m-%d %H:%M}",
    }


def _told(delivery: "Delivery") -> str:
    """What became of telling the partner."""
    if delivery.status == "sent":
        return f"delivery {delivery.id}: the partner has it"
    text = (
        f"delivery {delivery.id}: {delivery.status} after {counted(delivery.attempts, 'attempt')}"
    )
    if delivery.next_attempt_at and delivery.status == "queued":
        text += f", next at {delivery.next_attempt_at:%Y-%m-%d %H:%M:%S}"
    return f"{text}: {delivery.last_error}" if delivery.last_error else text
