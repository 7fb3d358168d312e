"""`crossdock reseller`: what resellers do in their portal, and what the shop decides, for staff.

A relationship is named by its id of the API, or by its number.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossdock.channels.shoppex_reseller import (
    app_commands,
    key_commands,
    money_commands,
    payout_commands,
    stock_commands,
)
from crossdock.channels.shoppex_reseller.command_tools import (
    Found,
    Who,
    describe,
    find_reseller,
    ids_of,
    run,
    shop_id_of,
    tell,
)
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import CommandLine, JsonOption, ShopOption, print_table, report_list

if TYPE_CHECKING:
    from crossdock.shop.resellers import Action

app = typer.Typer(help="Resellers, their terms, keys and balances.", no_args_is_help=True)
app.command(context_settings={"ignore_unknown_options": True})(money_commands.credit)
app.command()(money_commands.settle)
app.command()(money_commands.top_up)
app.command()(money_commands.statement)
app.add_typer(stock_commands.transfers, name="transfers")
app.add_typer(stock_commands.inventory, name="inventory")
app.add_typer(payout_commands.app, name="payouts")
app.add_typer(app_commands.app, name="apps")
app.command()(key_commands.key)
app.command()(key_commands.keys)
app.command()(key_commands.revoke_key)
app.command()(key_commands.url)

ModeOption = Annotated[
    str | None, typer.Option(help="affiliate, stock or both; else the programme's default.")
]


@app.command()
def program(
    context: typer.Context,
    shop: ShopOption,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="Switch the programme on or off.")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="The default mode: affiliate, stock or both.")
    ] = None,
    discount: Annotated[
        str | None, typer.Option(help="The default wholesale discount in percent.")
    ] = None,
    commission: Annotated[
        str | None, typer.Option(help="The default commission in percent.")
    ] = None,
    verify: Annotated[
        bool | None,
        typer.Option("--verify/--no-verify", help="Whether staff approve each reseller."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the shop's settings of the programme, after changing what is given."""
    from crossdock.kit.money import parse_rate_bp
    from crossdock.shop.resellers import ProgramChanges, change_program

    given: dict[str, Any] = {
        "enabled": enabled,
        "default_mode": None if mode is None else _mode(mode),
        "default_discount_bp": None if discount is None else parse_rate_bp(discount),
        "default_commission_bp": None if commission is None else parse_rate_bp(commission),
        "requires_verification": verify,
    }
    changes = ProgramChanges(**{name: each for name, each in given.items() if each is not None})

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        from crossdock.shop.resellers import read_program

        shop_id = await shop_id_of(tx, shop)
        now = runtime.clock.now()
        if changes != ProgramChanges():
            found = await change_program(tx, shop_id=shop_id, changes=changes, now=now)
        else:
            found = await read_program(tx, shop_id=shop_id)
        return {
            "shop": shop,
            "enabled": found.enabled,
            "default_mode": found.default_mode,
            "default_discount_bp": found.default_discount_bp,
            "default_commission_bp": found.default_commission_bp,
            "requires_verification": found.requires_verification,
        }

    tell(run(context, write), as_json=as_json)


@app.command()
def invite(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Whom to invite.")],
    shop: ShopOption,
    mode: ModeOption = None,
    discount: Annotated[
        str | None, typer.Option(help="An own wholesale discount in percent.")
    ] = None,
    commission: Annotated[str | None, typer.Option(help="An own commission in percent.")] = None,
    limit_daily: Annotated[
        int | None, typer.Option(min=0, help="At most so many units a day.")
    ] = None,
    limit_monthly: Annotated[
        int | None, typer.Option(min=0, help="At most so many units a month.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=90, help="How many days the invitation is good for.")
    ] = 7,
    as_json: JsonOption = False,
) -> None:
    """Invite a reseller by mail; the token and the address are shown only now."""
    from crossdock.channels.shoppex_reseller.portal_pages import invitation_url
    from crossdock.compose import Services
    from crossdock.kit.money import parse_rate_bp
    from crossdock.shop.resellers import ResellerTerms, invite_by_mail

    given: dict[str, Any] = {
        "mode": None if mode is None else _mode(mode),
        "discount_bp": None if discount is None else parse_rate_bp(discount),
        "commission_bp": None if commission is None else parse_rate_bp(commission),
        "limit_daily": limit_daily,
        "limit_monthly": limit_monthly,
    }
    terms = ResellerTerms(**{name: each for name, each in given.items() if each is not None})
    line: CommandLine = context.obj
    public_url = line.base_url()

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        from crossdock.channels.shoppex_reseller.ids import Kind

        shop_id, services = await shop_id_of(tx, shop), Services(runtime)
        made = await invite_by_mail(
            tx,
            shop_id=shop_id,
            email=email,
            terms=terms,
            accept_url=lambda token: invitation_url(public_url, token),
            mailing=services.mailing,
            ids=services.ids,
            now=runtime.clock.now(),
            expires_in_days=days,
        )
        ids, invitation = await ids_of(runtime).of(shop_id), made.invited.invitation
        return {
            "invitation_id": ids.write(Kind.INVITATION, invitation.id),
            "email": invitation.email,
            "mode": invitation.mode,
            "expires_at": invitation.expires_at.isoformat(),
            "token": made.invited.token,
            "accept_url": made.accept_url,
            "mail_id": made.mail_id,
        }

    tell(run(context, write), as_json=as_json)


@app.command()
def accept(
    context: typer.Context,
    token: Annotated[str, typer.Argument(help="The invitation's token.")],
    as_json: JsonOption = False,
) -> None:
    """Accept an invitation: the relationship begins."""
    from crossdock.channels.shoppex_reseller import NAME
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.resellers import accept_invitation

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        reseller = await accept_invitation(
            tx, token=token, channel=NAME, ids=RandomIds(), now=runtime.clock.now()
        )
        return await describe(runtime, reseller)

    tell(run(context, write), as_json=as_json)


@app.command("list")
def list_(
    context: typer.Context,
    shop: ShopOption,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List the newest relationships of a shop."""
    from crossdock.kit.paging import PlacePage
    from crossdock.shop.resellers import list_resellers

    async def read(runtime: Runtime, tx: Transaction) -> list[Found]:
        shop_id = await shop_id_of(tx, shop)
        page = PlacePage(size=limit)
        found, _ = page.cut(await list_resellers(tx, shop_id=shop_id, page=page))
        return [await describe(runtime, each) for each in found]

    found = run(context, read)
    report_list(found, as_json=as_json, table=_print, none="There is no reseller.")


@app.command()
def show(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Show a relationship with its terms and its balance."""
    from crossdock.kit.money import format_minor
    from crossdock.shop.resellers import read_balance, read_reseller

    async def read(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        reseller = await read_reseller(tx, shop_id=shop_id, reseller_id=reseller_id)
        balance = await read_balance(tx, shop_id=shop_id, reseller_id=reseller_id)
        return await describe(runtime, reseller) | {
            "discount_bp": reseller.discount_bp,
            "commission_bp": reseller.commission_bp,
            "limit_daily": reseller.limit_daily,
            "limit_monthly": reseller.limit_monthly,
            "products": None if reseller.products is None else len(reseller.products),
            "balance": format_minor(balance.balance_minor, balance.currency),
            "currency": balance.currency,
        }

    tell(run(context, read), as_json=as_json)


@app.command()
def approve(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Make a reseller active who has accepted and awaits it."""
    _move(context, who, action="approve", as_json=as_json)


@app.command()
def suspend(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Suspend a reseller: its keys do not work until it is active again."""
    _move(context, who, action="suspend", as_json=as_json)


@app.command()
def reactivate(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """Make a suspended reseller active again."""
    _move(context, who, action="reactivate", as_json=as_json)


@app.command()
def terminate(context: typer.Context, who: Who, as_json: JsonOption = False) -> None:
    """End a relationship for ever; its balance and history stay."""
    _move(context, who, action="terminate", as_json=as_json)


def _move(context: typer.Context, who: str, *, action: "Action", as_json: bool) -> None:
    from crossdock.shop.resellers import move_reseller

    async def write(runtime: Runtime, tx: Transaction) -> Found:
        shop_id, reseller_id, _ = await find_reseller(runtime, tx, who)
        moved = await move_reseller(
            tx, shop_id=shop_id, reseller_id=reseller_id, action=action, now=runtime.clock.now()
        )
        return await describe(runtime, moved)

    tell(run(context, write), as_json=as_json)


def _mode(given: str) -> str:
    from crossdock.channels.shoppex_reseller.programs import MODES

    if (mode := MODES.get(given.upper())) is None:
        raise Invalid("invalid_input", "--mode must be affiliate, stock or both.")
    return mode


def _print(found: list[Found]) -> None:
    from rich.table import Table

    table = Table("Id", "Number", "E-mail", "Status", "Mode", "Partner")
    for each in found:
        names = ("relationship_id", "number", "email", "status", "mode", "partner_id")
        table.add_row(*(str(each[name]) for name in names))
    print_table(table)
