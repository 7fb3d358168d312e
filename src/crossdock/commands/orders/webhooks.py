"""`crossdock webhook`: who is told of what happens in a shop, and what became of it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from crossdock.commands.running import with_runtime, with_transaction
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.compose import Services
    from crossdock.shop.webhooks import Dialect, FeedItem, LoggedWebhook, Subscription

T = TypeVar("T")
Act = Callable[[Transaction, "Services", "Dialect", int], Awaitable[T]]

app = typer.Typer(help="Calls that tell other servers what happens.", no_args_is_help=True)

WebhookId = Annotated[int, typer.Argument(help="The webhook's number.", metavar="WEBHOOK")]
ChannelOption = Annotated[
    str | None, typer.Option("--channel", help="Whose words; needed where several have webhooks.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")]


def _run(act: "Act[T]", *, shop: str, channel: str | None) -> T:
    """Run in one transaction, with the words of the channel and the shop's id."""
    from crossdock.channels.registry import webhook_dialects
    from crossdock.compose import Services

    async def run(runtime: Runtime) -> T:
        async with Services(runtime) as services:
            dialect = _chosen(webhook_dialects(services), channel)
            async with runtime.database.begin() as tx:
                return await act(tx, services, dialect, await shop_id_of(tx, shop))

    return with_runtime(run)


def _chosen(dialects: "dict[str, Dialect]", channel: str | None) -> "Dialect":
    if channel is None and len(dialects) == 1:
        return next(iter(dialects.values()))
    if channel not in dialects:
        raise Invalid("invalid_input", f"--channel must be one of {', '.join(sorted(dialects))}.")
    return dialects[channel]


@app.command("list")
def list_(shop: ShopOption, channel: ChannelOption = None, as_json: JsonOption = False) -> None:
    """List the webhooks of a shop, newest first."""
    from crossdock.shop.webhooks import list_subscriptions

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "list[Subscription]":
        return await list_subscriptions(tx, dialect=dialect, shop_id=shop_id)

    found = _run(act, shop=shop, channel=channel)
    report_list(found, as_json=as_json, table=_print_webhooks, none="There is no webhook.")


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The https address to call.")],
    shop: ShopOption,
    events: Annotated[
        list[str] | None, typer.Option("--event", help="What to tell of; may be repeated.")
    ] = None,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a webhook, to all events unless some are named, and print its secret, which is shown once."""
    from crossdock.shop.webhooks import subscribe

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "tuple[Subscription, str]":
        return await subscribe(
            tx,
            service=services.subscribing,
            dialect=dialect,
            shop_id=shop_id,
            url=url,
            names=events or dialect.names,
            now=services.runtime.clock.now(),
        )

    _report_secret(*_run(act, shop=shop, channel=channel), as_json=as_json)


@app.command()
def rotate(
    webhook_id: WebhookId,
    shop: ShopOption,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a webhook another secret, shown once; nothing is signed with the old one from now on."""
    from crossdock.shop.webhooks import rotate_webhook_secret

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "tuple[Subscription, str]":
        return await rotate_webhook_secret(
            tx,
            service=services.subscribing,
            dialect=dialect,
            shop_id=shop_id,
            subscription_id=webhook_id,
            now=services.runtime.clock.now(),
        )

    _report_secret(*_run(act, shop=shop, channel=channel), as_json=as_json)


@app.command("test")
def send_one(
    webhook_id: WebhookId,
    shop: ShopOption,
    event: Annotated[
        str | None, typer.Option(help="Of what; the first that the webhook hears otherwise.")
    ] = None,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a signed call with made-up content, to a paused webhook as well."""
    from crossdock.shop.webhooks import send_test

    async def act(tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int) -> int:
        return await send_test(
            tx,
            dialect=dialect,
            shop_id=shop_id,
            subscription_id=webhook_id,
            name=event,
            now=services.runtime.clock.now(),
        )

    delivery_id = _run(act, shop=shop, channel=channel)
    text = f"Delivery {delivery_id} is queued; crossdock webhook log shows what becomes of it."
    report({"delivery": delivery_id}, as_json=as_json, text=text)


@app.command()
def log(
    shop: ShopOption,
    webhook_id: Annotated[int | None, typer.Option("--webhook", help="Only of this one.")] = None,
    event: Annotated[str | None, typer.Option(help="Only of this event.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only queued, sending, sent, failed or withdrawn.")
    ] = None,
    limit: LimitOption = 100,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the newest deliveries; --json has what was sent, with which headers, and the answers' start."""
    from crossdock.shop.deliveries import STATUSES
    from crossdock.shop.webhooks import page_webhook_log

    if status is not None and status not in STATUSES:
        raise Invalid("invalid_input", f"--status must be one of {', '.join(STATUSES)}.")

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "list[LoggedWebhook]":
        rows, _ = await page_webhook_log(
            tx,
            dialect=dialect,
            shop_id=shop_id,
            subscription_id=webhook_id,
            name=event,
            statuses=None if status is None else (status,),
            limit=limit,
        )
        return rows

    found = _run(act, shop=shop, channel=channel)
    report_list(found, as_json=as_json, table=_print_log, none="Nothing was sent.")


@app.command()
def retry(
    delivery_id: Annotated[int, typer.Argument(help="The delivery's number.", metavar="DELIVERY")],
    shop: ShopOption,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send one delivery again under its id, whether it failed or arrived."""
    from crossdock.shop.webhooks import retry_webhook

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "LoggedWebhook":
        return await retry_webhook(
            tx,
            dialect=dialect,
            shop_id=shop_id,
            delivery_id=delivery_id,
            now=services.runtime.clock.now(),
        )

    row = _run(act, shop=shop, channel=channel)
    facts = {"delivery": row.id, "status": row.status}
    report(facts, as_json=as_json, text=f"Delivery {row.id} is {row.status}.")


@app.command()
def pause(webhook_id: WebhookId, shop: ShopOption, as_json: JsonOption = False) -> None:
    """Tell a webhook of nothing until it is resumed; what happens meanwhile stands in the feed."""
    from crossdock.shop.webhooks import pause_webhook

    async def act(runtime: Runtime, tx: Transaction) -> None:
        await pause_webhook(
            tx,
            shop_id=await shop_id_of(tx, shop),
            subscription_id=webhook_id,
            is_paused=True,
            now=runtime.clock.now(),
        )

    with_transaction(act)
    report({"webhook": webhook_id}, as_json=as_json, text=f"Webhook {webhook_id} is paused.")


@app.command()
def resume(
    webhook_id: WebhookId,
    shop: ShopOption,
    resend: Annotated[
        bool, typer.Option("--resend", help="Also send again what failed before and in the pause.")
    ] = False,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the pause of a webhook whose receiver failed for long."""
    from crossdock.shop.webhooks import resume_webhook

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "tuple[Subscription, list[int]]":
        return await resume_webhook(
            tx,
            dialect=dialect,
            shop_id=shop_id,
            subscription_id=webhook_id,
            resends=resend,
            now=services.runtime.clock.now(),
        )

    webhook, resent = _run(act, shop=shop, channel=channel)
    text = f"Webhook {webhook.id} is told of what happens; {len(resent)} sent again."
    report({"webhook": webhook.id, "resent": resent}, as_json=as_json, text=text)


@app.command()
def feed(
    shop: ShopOption,
    after: Annotated[int, typer.Option(min=0, help="Only what has a larger number.")] = 0,
    limit: LimitOption = 100,
    channel: ChannelOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what happened in a shop by its number in the feed, which webhooks are told of."""
    from crossdock.shop.webhooks import read_webhook_feed

    async def act(
        tx: Transaction, services: "Services", dialect: "Dialect", shop_id: int
    ) -> "list[FeedItem]":
        return await read_webhook_feed(
            tx, dialect=dialect, shop_id=shop_id, after=after, limit=limit
        )

    items = _run(act, shop=shop, channel=channel)
    if as_json:
        print_json(items)
        return
    for item in items:
        typer.echo(f"{item.sequence:>8}  {item.happened_at:%Y-%m-%d %H:%M:%S}  {item.name}")
    if not items:
        typer.echo("Nothing has happened since.")


def _report_secret(webhook: "Subscription", secret: str, *, as_json: bool) -> None:
    facts = {**msgspec.structs.asdict(webhook), "secret": secret}
    text = f"Webhook {webhook.id} to {webhook.url}. Its secret, which is not shown again:\n{secret}"
    report(facts, as_json=as_json, text=text)


def _print_webhooks(webhooks: "list[Subscription]") -> None:
    from rich.table import Table

    table = Table("Webhook", "URL", "Events", "State")
    for webhook in webhooks:
        state = "paused" if webhook.paused_at else "failing" if webhook.failing_since else "active"
        names = " ".join(webhook.names)
        of = f"{names} of payment {webhook.invoice_id}" if webhook.invoice_id else names
        table.add_row(str(webhook.id), webhook.url, of, state)
    print_table(table)


def _print_log(rows: "list[LoggedWebhook]") -> None:
    from rich.table import Column, Table

    table = Table(
        "Delivery", Column("Queued", no_wrap=True), "Webhook", "Event", "Status", "Tries", "Answer",
        "Last error",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            str(row.id),
            f"{row.queued_at:%Y-%m-%d %H:%M}",
            row.target,
            str(row.payload.get("event", "")),
            row.status,
            str(row.attempts),
            str(row.http_status or ""),
            row.last_error,
        )
    print_table(table)
