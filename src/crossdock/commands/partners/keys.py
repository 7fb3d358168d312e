"""`crossdock partner rotate`, `revoke`, `revoke-old`, `disable`, `enable`: the lifecycle of keys and secrets."""

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossdock.commands.partners.lookup import choose_key, find_partner, keys_of
from crossdock.commands.partners.tables import show_partner, show_secrets
from crossdock.commands.running import with_transaction
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.shop.partners import NewCredential, PartnerView

Who = Annotated[str, typer.Argument(help="The partner's number, its name, or one of its keys.")]
KeyOption = Annotated[str, typer.Option("--key", help="The key, if the partner has several.")]
_DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def rotate(
    who: Who,
    key: KeyOption = "",
    overlap: Annotated[
        str, typer.Option(help="How long the old secret still works: 30m, 24h, 7d, 0s.")
    ] = "24h",
    as_json: JsonOption = False,
) -> None:
    """Create a second secret, token or password, shown only once; the old one stays valid for a while."""
    from crossdock.compose import Services
    from crossdock.kit.ids import RandomIds
    from crossdock.shop.partners import rotate_secret

    overlap_s = _seconds(overlap)

    async def write(runtime: Runtime, tx: Transaction) -> tuple[dict[str, Any], "NewCredential"]:
        partner = await find_partner(tx, who=who)
        created = await rotate_secret(
            tx,
            key=choose_key(partner, who=who, key=key),
            channel=partner.channel,
            ids=RandomIds(),
            box=Services(runtime).box,
            now=runtime.clock.now(),
            overlap_s=overlap_s,
        )
        about = {"partner_id": partner.id, "shop": partner.shop, "channel": partner.channel}
        return {**about, "name": partner.name}, created

    about, created = with_transaction(write)
    show_secrets(about, [created], as_json=as_json)


def revoke(who: Who, key: KeyOption = "", as_json: JsonOption = False) -> None:
    """Revoke every secret of a key at once, for good; rotate creates a new one."""
    _revoke(who, key=key, takes_newest=True, as_json=as_json)


def revoke_old(who: Who, key: KeyOption = "", as_json: JsonOption = False) -> None:
    """Revoke all secrets but the newest at once."""
    _revoke(who, key=key, takes_newest=False, as_json=as_json)


def _revoke(who: str, *, key: str, takes_newest: bool, as_json: bool) -> None:
    from crossdock.shop.partners import revoke_old_secrets, revoke_secrets

    async def write(runtime: Runtime, tx: Transaction) -> int:
        partner = await find_partner(tx, who=who)
        chosen = choose_key(partner, who=who, key=key)
        end = revoke_secrets if takes_newest else revoke_old_secrets
        return await end(tx, key=chosen, channel=partner.channel, now=runtime.clock.now())

    count = with_transaction(write)
    report(
        {"revoked": count},
        as_json=as_json,
        text=f"{count} {'' if takes_newest else 'old '}secrets are revoked.",
    )


def disable(who: Who, as_json: JsonOption = False) -> None:
    """Disable a partner, or only the given key, from the next request on."""
    show_partner(
        with_transaction(lambda runtime, tx: _switch(runtime, tx, who=who, on=False)),
        as_json=as_json,
    )


def enable(who: Who, as_json: JsonOption = False) -> None:
    """Enable a disabled partner, or the given key."""
    show_partner(
        with_transaction(lambda runtime, tx: _switch(runtime, tx, who=who, on=True)),
        as_json=as_json,
    )


async def _switch(runtime: Runtime, tx: Transaction, *, who: str, on: bool) -> "PartnerView":
    from crossdock.shop.partners import (
        Terms,
        disable_credential,
        enable_credential,
        refuse_kept_by_others,
        set_terms,
    )

    partner = await find_partner(tx, who=who)
    if who == str(partner.id) or who not in keys_of(partner):
        if on:
            await refuse_kept_by_others(tx, partner_id=partner.id)
        await set_terms(tx, partner_id=partner.id, terms=Terms(active=on))
    elif on:
        await enable_credential(tx, key=who, channel=partner.channel)
    else:
        await disable_credential(tx, key=who, channel=partner.channel, now=runtime.clock.now())
    return await find_partner(tx, who=str(partner.id))


def _seconds(text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise Invalid("invalid_input", "--overlap must be a number with s, m, h or d, such as 24h.")
    return int(match[1]) * _SECONDS[match[2]]
