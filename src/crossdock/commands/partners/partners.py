"""`crossdock partner`: partners, their terms and their keys."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from crossdock.commands.partners import keys, offers
from crossdock.commands.partners.lookup import find_partner
from crossdock.commands.partners.tables import print_partners, show_partner, show_secrets
from crossdock.commands.running import with_runtime, with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, read_secret, report_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crossdock.shop.partners import Admitting, ChannelFacts, NewCredential, PartnerView

DEMO = "demo"

app = typer.Typer(help="Partners, their terms and their keys.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="The partner's number, its name, or one of its keys.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="key=value: customer, permissions, backorder, min_amount, max_amount, visible_merchants "
        "(slugs with commas, or all), price_list, rate_limit_per_minute, active; when adding also test; "
        "and the channel's own, see below.",
    ),
]


class _WithChannelSettings(TyperCommand):
    """A command whose help ends with the settings of each channel, which are loaded only for the help."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from crossdock.channels.registry import channel_facts

        self.epilog = "\n\n".join(
            f"--set of {name} also takes "
            + ", ".join(f"{key} ({' or '.join(words)})" for key, words in facts.settings.items())
            + "."
            for name, facts in channel_facts().items()
            if facts.settings
        )
        super().format_help(ctx, formatter)


@app.command(cls=_WithChannelSettings)
def add(
    channel: Annotated[str, typer.Option(help="The channel that the partner uses.")],
    shop: Annotated[str, typer.Option(help="The shop's slug.")],
    name: Annotated[str, typer.Option(help="The partner's name, unique on its channel.")],
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a partner and print its credentials. Secrets are shown only once.

    Depending on the channel, these are a key and a secret, a bearer token, or a name and a password.

    Without --set a partner has every permission, no backorder, no amount rule, all merchants and
    no customer. It can read at once. Orders of a channel whose requests do not say who buys need
    --set customer=E-MAIL; the command says if that is missing.
    """
    from crossdock.shop.partners import split_words

    words = split_words(set_ or [])
    is_test = _pop_test(words, shop=shop)

    async def write(runtime: Runtime, tx: Transaction) -> tuple["list[NewCredential]", bool]:
        return await _add(
            runtime, tx, channel=channel, slug=shop, name=name, words=words, is_test=is_test
        )

    created, can_order = with_transaction(write)
    partner_id = created[0].partner_id
    if not can_order:
        _advise_customer(partner_id, shop=shop)
    about = {"partner_id": partner_id, "shop": shop, "channel": channel, "name": name}
    show_secrets(about, created, as_json=as_json)


@app.command("list")
def list_(
    shop: Annotated[str | None, typer.Option(help="Only of this shop.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List partners with their terms and keys, without secrets."""
    from crossdock.shop.partners import list_partners

    async def read(runtime: Runtime) -> "list[PartnerView]":
        async with runtime.database.statement() as tx:
            return await list_partners(tx, shop=shop, channel=channel)

    partners = with_runtime(read)
    report_list(
        partners,
        as_json=as_json,
        table=print_partners,
        none="There is no partner. Add one with: crossdock partner add --help",
    )


@app.command()
def show(who: Who, as_json: JsonOption = False) -> None:
    """Show one partner and when each of its secrets was last used, without secrets."""

    async def read(runtime: Runtime) -> "PartnerView":
        async with runtime.database.statement() as tx:
            return await find_partner(tx, who=who)

    show_partner(with_runtime(read), as_json=as_json)


@app.command("set", cls=_WithChannelSettings)
def set_(who: Who, set_: SetOption = None, as_json: JsonOption = False) -> None:
    """Change terms; they apply from the partner's next request on."""
    from crossdock.shop.partners import change_terms, split_words

    words = split_words(set_ or [])
    if not words:
        raise Invalid("invalid_input", "Say what to change, for example --set backorder=yes.")

    async def write(runtime: Runtime, tx: Transaction) -> "PartnerView":
        partner = await find_partner(tx, who=who)
        admitting = await _admitting(runtime, tx, slug=partner.shop, channel=partner.channel)
        typed = _typed(words, slug=partner.shop, facts=admitting.facts)
        await change_terms(tx, admitting=admitting, partner_id=partner.id, words=typed)
        return await find_partner(tx, who=str(partner.id))

    show_partner(with_transaction(write), as_json=as_json)


async def _add(
    runtime: Runtime,
    tx: Transaction,
    *,
    channel: str,
    slug: str,
    name: str,
    words: dict[str, str],
    is_test: bool,
) -> tuple["list[NewCredential]", bool]:
    from crossdock.shop.partners import admit_partner

    admitting = await _admitting(runtime, tx, slug=slug, channel=channel)
    admitted = await admit_partner(
        tx,
        admitting=admitting,
        name=name,
        words=_typed(words, slug=slug, facts=admitting.facts),
        is_test=is_test,
    )
    return list(admitted.created), admitted.can_order


def _advise_customer(partner_id: int, *, shop: str) -> None:
    """Say on stderr that the partner's orders need a customer."""
    who = "demo" if shop == DEMO else "E-MAIL"
    adding = f"  crossdock customer add --shop {shop} --email E-MAIL --set address.FIELD=...\n"
    typer.echo(
        "This partner has no customer yet, so it cannot order. Give it one with:\n"
        f"{'' if shop == DEMO else adding}"
        f"  crossdock partner set {partner_id} --set customer={who}",
        err=True,
    )


async def _admitting(runtime: Runtime, tx: Transaction, *, slug: str, channel: str) -> "Admitting":
    from crossdock.channels.registry import channel_facts
    from crossdock.compose import Services
    from crossdock.shop.partners import Admitting
    from crossdock.shop.shops import read_shop

    known = channel_facts()
    if channel not in known:
        channels = ", ".join(sorted(known))
        raise Invalid("invalid_input", f"There is no channel {channel!r}; choose from {channels}.")
    services = Services(runtime)
    return Admitting(
        shop=await read_shop(tx, slug=slug),
        facts=known[channel],
        ids=services.ids,
        box=lambda: services.box,
        outbound=services.outbound,
    )


def _typed(words: dict[str, str], *, slug: str, facts: "ChannelFacts") -> dict[str, str]:
    """The words with secrets from the terminal; in the demo shop `customer=demo` is its partner's customer."""
    from crossdock.demo.access import demo_customer_email

    words = _with_typed_secrets(words, settings=facts.settings)
    if slug == DEMO and words.get("customer") == "demo":
        words = words | {"customer": demo_customer_email()}
    return words


def _with_typed_secrets(
    words: dict[str, str], *, settings: "Mapping[str, tuple[str, ...]]"
) -> dict[str, str]:
    """The words with `-` for a secret read from the terminal: other users can see command lines."""
    from crossdock.shop.partners import is_secret

    asked = [key for key, text in words.items() if text == "-" and is_secret(settings.get(key, ()))]
    return words | {key: read_secret(key) for key in asked}


def _pop_test(words: dict[str, str], *, shop: str) -> bool:
    """Whether the credential is for tests; in the demo shop the default is yes."""
    text = words.pop("test", words.pop("is_test", "yes" if shop == DEMO else "no")).lower()
    if text not in {"yes", "true", "on", "1", "no", "false", "off", "0"}:
        raise Invalid("invalid_input", f"test: {text!r} is not yes or no.")
    return text in {"yes", "true", "on", "1"}


app.command()(keys.rotate)
app.command()(keys.revoke)
app.command("revoke-old")(keys.revoke_old)
app.command()(keys.disable)
app.command()(keys.enable)
app.command()(offers.offers)
