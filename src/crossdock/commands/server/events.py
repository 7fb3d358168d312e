"""`crossdock event`: the events of a shop, and how far consumers have read them."""

from typing import TYPE_CHECKING, Annotated, get_args

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, print_json, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.events import Event, Place

PAYLOAD_CHARS = 200
app = typer.Typer(help="Events, and how far consumers have read them.", no_args_is_help=True)


def shorten(payload: str) -> str:
    """The payload on one line of a terminal; an import's may hold thousands of levels. --json has it whole."""
    if len(payload) <= PAYLOAD_CHARS:
        return payload
    return f"{payload[:PAYLOAD_CHARS]} ... ({len(payload):,} characters, see --json)"


@app.command("list")
def list_(
    shop: Annotated[str, typer.Option("--shop", help="The shop's slug.")],
    after: Annotated[int, typer.Option(min=0, help="Only events with a larger number.")] = 0,
    topic: Annotated[
        list[str] | None, typer.Option(help="Only this topic; may be repeated.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as order.placed.")] = None,
    subject: Annotated[
        int | None, typer.Option(help="Only of this subject, such as an order's number.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List events in order; pass the last number as --after for the next page."""
    from crossdock.shop.events import Topic, read_events

    topics: list[Topic] = [name for name in get_args(Topic) if name in (topic or ())]
    if len(topics) != len(set(topic or ())):
        raise Invalid("invalid_input", f"--topic must be one of {', '.join(get_args(Topic))}.")

    async def run(runtime: Runtime) -> "list[Event]":
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, shop)
            return await read_events(
                tx,
                shop_id=shop_id,
                after=after,
                topics=topics or None,
                kind=kind,
                subject_id=subject,
                limit=limit,
            )

    events = with_runtime(run)
    if as_json:
        print_json(events)
        return
    for event in events:
        about = "" if event.subject_id is None else event.subject_id
        payload = msgspec.json.encode(event.payload).decode()
        moment = f"{event.created_at:%Y-%m-%d %H:%M:%S}"
        shown = shorten(payload)
        typer.echo(f"{event.sequence:>8}  {moment}  {event.kind:22} {about:<10} {shown}")
    if not events:
        typer.echo("Nothing has happened since.")


@app.command()
def consumers(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far each consumer has read, and the error of one that fails."""
    from crossdock.shop.events import list_places

    async def run(runtime: Runtime) -> "list[Place]":
        async with runtime.database.statement() as tx:
            return await list_places(tx, shop_id=await shop_id_of(tx, shop) if shop else None)

    places = with_runtime(run)
    report_list(
        places,
        as_json=as_json,
        table=_print_table,
        none="No consumer has read anything yet; a worker lets them.",
    )


def _print_table(places: "list[Place]") -> None:
    from rich.table import Table

    table = Table("Shop", "Consumer", "Has read", "Behind", "Set aside")
    for column in ("Failed", "Next attempt", "Last error"):
        table.add_column(column)
    for place in places:
        after = place.next_attempt_at
        table.add_row(
            place.shop,
            place.consumer,
            str(place.position),
            str(place.behind),
            str(place.set_aside or ""),
            str(place.failures or ""),
            f"{after:%Y-%m-%d %H:%M:%S}" if after else "",
            place.last_error,
        )
    print_table(table)
