"""`crossdock delivery`: outgoing calls to other servers."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.zones import in_zone
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.deliveries import Delivery, DeliveryAttempt

app = typer.Typer(help="Outgoing calls to other servers.", no_args_is_help=True)

KindOption = Annotated[str | None, typer.Option("--kind", help="Only this kind, such as dispatch.")]
TargetOption = Annotated[str | None, typer.Option("--target", help="Only to this target.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", help="Only those queued at or after this time of the shop's zone."),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--until", help="Only those queued before this time of the shop's zone."),
]
DeliveryId = Annotated[int, typer.Argument(help="The delivery's number.", metavar="DELIVERY")]


@app.command("list")
def list_(
    shop: ShopOption,
    status: Annotated[
        str | None, typer.Option(help="Only queued, sending, sent, failed or withdrawn.")
    ] = None,
    kind: KindOption = None,
    target: TargetOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List the newest deliveries of a shop."""
    from crossdock.shop.deliveries import STATUSES, list_deliveries
    from crossdock.shop.shops import read_shop

    if status is not None and status not in STATUSES:
        raise Invalid("invalid_input", f"--status must be one of {', '.join(STATUSES)}.")

    async def run(runtime: Runtime) -> "list[Delivery]":
        async with runtime.database.statement() as tx:
            of = await read_shop(tx, slug=shop)
            return await list_deliveries(
                tx,
                shop_id=of.id,
                status=status,
                kind=kind,
                target=target,
                since=_moment(since, zone=of.zone),
                until=_moment(until, zone=of.zone),
                limit=limit,
            )

    deliveries = with_runtime(run)
    report_list(deliveries, as_json=as_json, table=_print_table, none="There is no such delivery.")


@app.command()
def show(delivery_id: DeliveryId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Show one delivery and the log of its attempts."""
    from crossdock.shop.deliveries import show_delivery

    async def run(runtime: Runtime) -> "tuple[Delivery, list[DeliveryAttempt]]":
        async with runtime.database.statement() as tx:
            return await show_delivery(
                tx, shop_id=await shop_id_of(tx, shop), delivery_id=delivery_id
            )

    delivery, log = with_runtime(run)
    if as_json:
        print_json({"delivery": delivery, "log": log})
        return
    for name, value in msgspec.structs.asdict(delivery).items():
        typer.echo(f"{name:18}{'' if value is None else value}")
    for line in log:
        typer.echo(_line(line))


@app.command()
def resend(
    shop: ShopOption,
    delivery_ids: Annotated[
        list[int] | None, typer.Argument(help="The deliveries' numbers.", metavar="DELIVERY...")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="All failed ones of the given kind, target and time.")
    ] = False,
    kind: KindOption = None,
    target: TargetOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send failed deliveries again, by number or by the time range in which they were queued."""
    from crossdock.shop.deliveries import resend_delivery, resend_failed
    from crossdock.shop.shops import read_shop

    is_range = failed or since is not None or until is not None
    if bool(delivery_ids) == is_range or (delivery_ids and (kind or target)):
        raise Invalid(
            "invalid_input", "Name deliveries, or --failed, --since or --until for all that failed."
        )

    async def write(runtime: Runtime, tx: Transaction) -> list[int]:
        of, now = await read_shop(tx, slug=shop), runtime.clock.now()
        for delivery_id in delivery_ids or ():
            await resend_delivery(tx, shop_id=of.id, delivery_id=delivery_id, now=now)
        if delivery_ids:
            return list(delivery_ids)
        return await resend_failed(
            tx,
            shop_id=of.id,
            now=now,
            kind=kind,
            target=target,
            since=_moment(since, zone=of.zone),
            until=_moment(until, zone=of.zone),
        )

    resent = with_transaction(write)
    report(
        {"resent": resent},
        as_json=as_json,
        text=f"{len(resent)} sent again: {', '.join(map(str, resent)) or 'none had failed'}",
    )


@app.command()
def withdraw(delivery_id: DeliveryId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Give up a queued or failed delivery; what the other side has got is not revoked."""
    from crossdock.shop.deliveries import withdraw_by_id

    async def write(runtime: Runtime, tx: Transaction) -> None:
        await withdraw_by_id(
            tx,
            shop_id=await shop_id_of(tx, shop),
            delivery_id=delivery_id,
            now=runtime.clock.now(),
        )

    with_transaction(write)
    facts = {"id": delivery_id, "status": "withdrawn"}
    text = f"Delivery {delivery_id} is withdrawn."
    report(facts, as_json=as_json, text=text)


@app.command()
def kinds(as_json: JsonOption = False) -> None:
    """List the kinds of deliveries with their attempts and waits."""
    from crossdock.channels.registry import equip_worker
    from crossdock.compose import Services

    async def run(runtime: Runtime) -> list[dict[str, object]]:
        async with Services(runtime) as services:
            equip_worker(services)
            return [
                {
                    "kind": kind.name,
                    "waits_s": kind.waits_s,
                    "deadline_s": kind.deadline_s,
                    "ordering": kind.ordering,
                    "calls_per_target": kind.calls_per_target,
                }
                for kind in services.delivery_kinds
            ]

    found = with_runtime(run)
    if as_json:
        print_json(found)
        return
    for kind in found:
        typer.echo("  ".join(f"{name} {value}" for name, value in kind.items()))


def _moment(local: datetime | None, *, zone: ZoneInfo) -> datetime | None:
    return None if local is None else in_zone(local, zone=zone)


def _line(line: "DeliveryAttempt") -> str:
    began = line.started_at.isoformat(timespec="seconds") if line.started_at else ""
    took = "" if line.took_ms is None else f"{line.took_ms} ms"
    status = "" if line.http_status is None else str(line.http_status)
    said = line.error or line.answer
    return (
        f"  {line.attempt:>3}  {began:25}  {took:>9}  {line.outcome:8} {status:4} {said}".rstrip()
    )


def _print_table(deliveries: "list[Delivery]") -> None:
    from rich.table import Table

    table = Table(
        "Delivery", "Kind", "Target", "About", "Status", "Tries", "Their id", "Last error"
    )
    for delivery in deliveries:
        table.add_row(
            str(delivery.id),
            delivery.kind,
            delivery.target,
            delivery.object_key or str(delivery.subject_id or ""),
            delivery.status,
            str(delivery.attempts),
            delivery.result or "",
            delivery.last_error,
        )
    print_table(table)
