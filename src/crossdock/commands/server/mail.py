"""`crossdock mail`: the mailbox of what this server wrote to people."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.commands.running import with_runtime
from crossdock.commands.shop_ids import shop_id_of
from crossdock.db.runtime import Runtime
from crossdock.terminal import JsonOption, ShopOption, print_json, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.mailing import MailContent, MailView

app = typer.Typer(help="The mails that were written to people.", no_args_is_help=True)


@app.command("list")
def list_(
    shop: ShopOption,
    to: Annotated[str | None, typer.Option(help="Only those to this address.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List the newest mails of a shop; one that is kept was not sent, for want of an SMTP server."""
    from crossdock.shop.mailing import list_mails

    async def run(runtime: Runtime) -> "list[MailView]":
        async with runtime.database.statement() as tx:
            return await list_mails(tx, shop_id=await shop_id_of(tx, shop), to=to, limit=limit)

    mails = with_runtime(run)
    report_list(mails, as_json=as_json, table=_print_table, none="No mail was written.")


@app.command()
def show(
    mail_id: Annotated[int, typer.Argument(help="The mail's number.", metavar="MAIL")],
    shop: ShopOption,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="With links that open something, and serials.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one mail as text; with --json, its HTML as well. What is for its reader alone is hidden."""
    from crossdock.compose import create_box
    from crossdock.shop.mailing import SECRETS, read_mail

    async def run(runtime: Runtime) -> "MailContent":
        async with runtime.database.statement() as tx:
            shop_id = await shop_id_of(tx, shop)
            box = create_box(runtime.settings)
            return await read_mail(
                tx,
                shop_id=shop_id,
                mail_id=mail_id,
                box=box,
                reveals=SECRETS if reveal else (),
            )

    mail = with_runtime(run)
    if as_json:
        print_json(mail)
        return
    facts = msgspec.structs.asdict(mail)
    text = facts.pop("text")
    facts.pop("html")
    for name, value in facts.items():
        typer.echo(f"{name:12}{'' if value is None else value}")
    typer.echo(f"\n{text}")


def _print_table(mails: "list[MailView]") -> None:
    from rich.table import Column, Table

    table = Table("No", Column("Written", no_wrap=True), "To", "Subject", "Status", "Last error")
    for mail in mails:
        table.add_row(
            str(mail.id),
            f"{mail.created_at:%Y-%m-%d %H:%M}",
            mail.to,
            mail.subject,
            mail.status,
            mail.last_error,
        )
    print_table(table)
