"""`crossdock partner`: who may call, under which terms, with which keys."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crossdock.commands import partner_tools
from crossdock.commands.partner_tables import print_partner, print_partners
from crossdock.commands.running import with_runtime, with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound

if TYPE_CHECKING:
    from crossdock.kit.crypto import SecretBox
    from crossdock.shop.partners import NewCredential, PartnerView, Terms, Wording

app = typer.Typer(help="Who may call, under which terms, with which keys.", no_args_is_help=True)
app.command()(partner_tools.explain)
app.command()(partner_tools.sign)

Who = Annotated[str, typer.Argument(help="The partner's number, its name, or one of its keys.")]
KeyOption = Annotated[str, typer.Option("--key", help="Which key, where the partner has several.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="key=value: customer, permissions, backorder, min_amount, max_amount, visible_merchants, "
        "price_list, rate_limit_per_minute, active; when adding also test.",
    ),
]
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@app.command()
def add(
    channel: Annotated[str, typer.Option(help="Which API the partner speaks.")],
    shop: Annotated[str, typer.Option(help="The shop's slug.")],
    name: Annotated[str, typer.Option(help="The partner's name, unique on its channel.")],
    set_: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a partner with a key and a secret. The secret is shown now and never again.

    Without --set a partner has every permission, no backorder, no amount rule, all merchants and
    no customer. It can read at once; to order it needs --set customer=E-MAIL.
    """
    from crossdock.shop.partners import split_words

    words = split_words(set_ or [])
    is_test = _pop_test(words, shop=shop)

    async def write(runtime: Runtime, tx: Transaction) -> tuple["NewCredential", bool]:
        return await _add(
            runtime, tx, channel=channel, slug=shop, name=name, words=words, is_test=is_test
        )

    created, has_customer = with_transaction(write)
    if not has_customer:
        typer.echo(
            "This partner has no customer yet, so it cannot order. Give it one with:\n"
            f"  crossdock partner set {created.partner_id} --set customer=E-MAIL",
            err=True,
        )
    shown = {"partner_id": created.partner_id, "shop": shop, "channel": channel, "name": name}
    _show_secret(shown | {"key": created.key, "secret": created.secret}, as_json=as_json)


@app.command("list")
def list_(
    shop: Annotated[str | None, typer.Option(help="Only of this shop.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Partners with their terms and keys; no secrets."""
    from crossdock.shop.partners import list_partners

    async def read(runtime: Runtime) -> "list[PartnerView]":
        async with runtime.database.statement() as tx:
            return await list_partners(tx, shop=shop, channel=channel)

    partners = with_runtime(read)
    if as_json:
        typer.echo(msgspec.json.encode(partners))
    elif partners:
        print_partners(partners)
    else:
        typer.echo("There is no partner. Add one with: crossdock partner add --help")


@app.command()
def show(who: Who, as_json: JsonOption = False) -> None:
    """One partner; when each of its secrets was last used, but no secret."""

    async def read(runtime: Runtime) -> "PartnerView":
        async with runtime.database.statement() as tx:
            return await _find(tx, who=who)

    _show(with_runtime(read), as_json=as_json)


@app.command("set")
def set_(who: Who, set_: SetOption = None, as_json: JsonOption = False) -> None:
    """Change terms; they count from the partner's next request on."""
    from crossdock.shop.partners import set_terms, split_words

    words = split_words(set_ or [])
    if not words:
        raise Invalid("invalid_input", "Say what to change, for example --set backorder=yes.")

    async def write(_runtime: Runtime, tx: Transaction) -> "PartnerView":
        partner = await _find(tx, who=who)
        terms = await _read_terms(tx, slug=partner.shop, channel=partner.channel, words=words)
        await set_terms(tx, partner_id=partner.id, terms=terms)
        changed = await _find(tx, who=str(partner.id))
        least, most = changed.min_amount_minor, changed.max_amount_minor
        if least is not None and most is not None and least > most:
            raise Invalid("invalid_input", "min_amount would be more than max_amount.")
        return changed

    _show(with_transaction(write), as_json=as_json)


@app.command()
def rotate(
    who: Who,
    key: KeyOption = "",
    overlap: Annotated[
        str, typer.Option(help="How long the old secret still works: 30m, 24h, 7d, 0s.")
    ] = "24h",
    as_json: JsonOption = False,
) -> None:
    """Make a second secret, shown once; the old one works on for a while."""
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.partners import rotate_secret

    overlap_s = _seconds(overlap)

    async def write(runtime: Runtime, tx: Transaction) -> dict[str, Any]:
        partner = await _find(tx, who=who)
        created = await rotate_secret(
            tx,
            key=_key_of(partner, who=who, key=key),
            ids=RandomIds(),
            box=_box(runtime),
            now=runtime.clock.now(),
            overlap_s=overlap_s,
        )
        about = {"partner_id": partner.id, "shop": partner.shop, "channel": partner.channel}
        return {**about, "name": partner.name, "key": created.key, "secret": created.secret}

    _show_secret(with_transaction(write), as_json=as_json)


@app.command("revoke-old")
def revoke_old(who: Who, key: KeyOption = "", as_json: JsonOption = False) -> None:
    """End all secrets but the newest at once."""
    from crossdock.shop.partners import revoke_old_secrets

    async def write(runtime: Runtime, tx: Transaction) -> int:
        chosen = _key_of(await _find(tx, who=who), who=who, key=key)
        return await revoke_old_secrets(tx, key=chosen, now=runtime.clock.now())

    count = with_transaction(write)
    typer.echo(
        msgspec.json.encode({"revoked": count}) if as_json else f"{count} old secrets are revoked."
    )


@app.command()
def disable(who: Who, as_json: JsonOption = False) -> None:
    """Refuse a partner, or only the key that is given, from the next request on."""
    _show(
        with_transaction(lambda runtime, tx: _switch(runtime, tx, who=who, on=False)),
        as_json=as_json,
    )


@app.command()
def enable(who: Who, as_json: JsonOption = False) -> None:
    """Let a disabled partner, or the key that is given, call again."""
    _show(
        with_transaction(lambda runtime, tx: _switch(runtime, tx, who=who, on=True)),
        as_json=as_json,
    )


async def _add(
    runtime: Runtime,
    tx: Transaction,
    *,
    channel: str,
    slug: str,
    name: str,
    words: dict[str, str],
    is_test: bool,
) -> tuple["NewCredential", bool]:
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.partners import add_credential, add_partner

    if not name.strip():
        raise Invalid("invalid_input", "--name must not be empty.")
    wording = await _wording(tx, slug=slug, channel=channel)
    defaults = {"permissions": "all"} | words
    terms = await _read_terms(tx, slug=slug, channel=channel, words=defaults)
    partner_id = await add_partner(
        tx, shop_id=wording.shop.id, channel=channel, name=name.strip(), terms=terms
    )
    created = await add_credential(
        tx, partner_id=partner_id, ids=RandomIds(), box=_box(runtime), is_test=is_test
    )
    has_customer = bool(terms.customer_id) and terms.customer_id is not msgspec.UNSET
    return created, has_customer


async def _wording(tx: Transaction, *, slug: str, channel: str) -> "Wording":
    from crossdock.channels.registry import channel_permissions
    from crossdock.shop.partners import Wording
    from crossdock.shop.shops import read_shop

    known = channel_permissions()
    if channel not in known:
        channels = ", ".join(sorted(known))
        raise Invalid("invalid_input", f"There is no channel {channel!r}; known are {channels}.")
    return Wording(shop=await read_shop(tx, slug=slug), permissions=known[channel])


async def _read_terms(
    tx: Transaction, *, slug: str, channel: str, words: dict[str, str]
) -> "Terms":
    from crossdock.shop.partners import read_terms

    return await read_terms(tx, wording=await _wording(tx, slug=slug, channel=channel), words=words)


async def _find(tx: Transaction, *, who: str) -> "PartnerView":
    """The partner with this number, key or name. Raises NotFound, Invalid for a name of several."""
    from crossdock.shop.partners import list_partners

    partners = await list_partners(tx)
    found = [
        partner
        for partner in partners
        if who in {str(partner.id), partner.name, *(c["key"] for c in partner.credentials)}
    ]
    if not found:
        raise NotFound("not_found", f"There is no partner {who!r}; see: crossdock partner list")
    if len(found) > 1:
        numbers = ", ".join(f"{partner.id} ({partner.shop})" for partner in found)
        raise Invalid("invalid_input", f"Several partners are called {who!r}: {numbers}.")
    return found[0]


async def _switch(runtime: Runtime, tx: Transaction, *, who: str, on: bool) -> "PartnerView":
    from crossdock.shop.partners import Terms, disable_credential, enable_credential, set_terms

    partner = await _find(tx, who=who)
    if who not in _keys(partner):
        await set_terms(tx, partner_id=partner.id, terms=Terms(active=on))
    elif on:
        await enable_credential(tx, key=who)
    else:
        await disable_credential(tx, key=who, now=runtime.clock.now())
    return await _find(tx, who=str(partner.id))


def _keys(partner: "PartnerView") -> list[str]:
    return [credential["key"] for credential in partner.credentials]


def _key_of(partner: "PartnerView", *, who: str, key: str) -> str:
    keys = _keys(partner)
    chosen = key or (who if who in keys else "")
    if chosen and chosen in keys:
        return chosen
    if chosen or len(keys) != 1:
        listed = ", ".join(keys) or "none"
        raise Invalid("invalid_input", f"Say which key with --key; the partner has {listed}.")
    return keys[0]


def _pop_test(words: dict[str, str], *, shop: str) -> bool:
    """Whether the credential is for tests; in the demo shop it is unless told otherwise."""
    text = words.pop("test", words.pop("is_test", "yes" if shop == "demo" else "no")).lower()
    if text not in {"yes", "true", "on", "1", "no", "false", "off", "0"}:
        raise Invalid("invalid_input", f"test: {text!r} is neither yes nor no.")
    return text in {"yes", "true", "on", "1"}


def _seconds(text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise Invalid("invalid_input", "--overlap is a number with s, m, h or d, such as 24h.")
    return int(match[1]) * _SECONDS[match[2]]


def _box(runtime: Runtime) -> "SecretBox":
    from crossdock.jobs.services import create_box

    return create_box(runtime.settings)


def _show(partner: "PartnerView", *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(partner))
    else:
        print_partner(partner)


def _show_secret(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(shown))
        return
    typer.echo(f"Partner {shown['partner_id']}: {shown['name']} ({shown['channel']})")
    typer.echo(f"  key     {shown['key']}")
    typer.echo(f"  secret  {shown['secret']}   (shown only now: store it safely)")
