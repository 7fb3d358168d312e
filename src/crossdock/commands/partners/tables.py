"""Partners on a terminal."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from crossdock.terminal import print_json, report

if TYPE_CHECKING:
    from crossdock.shop.partners import CredentialView, NewCredential, PartnerView, SecretView

_WORDS = {"signature": "secret", "bearer": "token", "password": "password"}


def print_partners(partners: "list[PartnerView]") -> None:
    """One line for each partner."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Partner", "Shop", "Channel", "Name", "Active", "Backorder", "Customer")
    table.add_column("Keys", overflow="fold", min_width=35)
    for partner in partners:
        table.add_row(
            str(partner.id),
            partner.shop,
            partner.channel,
            partner.name,
            _yes(partner.active),
            _yes(partner.backorder),
            str(partner.customer_id or "-"),
            "\n".join(_key_text(credential) for credential in partner.credentials),
        )
    Console().print(table)


def print_partner(partner: "PartnerView") -> None:
    """Every term of a partner, and its keys with the life of their secrets."""
    for name in partner.__struct_fields__:
        if name != "credentials":
            typer.echo(f"{name:18} {_text(getattr(partner, name))}")
    for credential in partner.credentials:
        typer.echo(f"{'key':18} {_key_text(credential)}")
        for secret in credential.secrets:
            hint = f" {secret.hint}..." if secret.hint else ""
            typer.echo(f"{'':18}   {_WORDS[credential.proof]} {secret.id}{hint}: {_life(secret)}")


def _life(secret: "SecretView") -> str:
    parts = [f"made {_moment(secret.created_at)}"]
    if secret.revoked_at:
        parts.append(f"revoked {_moment(secret.revoked_at)}")
    elif secret.expires_at:
        parts.append(f"ends {_moment(secret.expires_at)}")
    used = secret.last_used_at
    parts.append(f"last used {_moment(used)}" if used else "never used")
    return ", ".join(parts)


def _key_text(credential: "CredentialView") -> str:
    marks = [
        mark
        for mark, holds in (("test", credential.is_test), ("disabled", credential.disabled))
        if holds
    ]
    return f"{credential.key} ({', '.join(marks)})" if marks else credential.key


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return str(value)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def show_partner(partner: "PartnerView", *, as_json: bool) -> None:
    """One partner after it was read or changed."""
    report(partner, as_json=as_json, text=lambda: print_partner(partner))


def show_secrets(
    about: dict[str, Any], created: "Sequence[NewCredential]", *, as_json: bool
) -> None:
    """New credentials, at the one moment when their secrets are shown."""
    from crossdock.channels.registry import channel_facts

    facts = channel_facts().get(about["channel"])
    names = facts.shown_as if facts else {}
    shown = {names.get(k, k): v for credential in created for k, v in credential.shown.items()}
    if as_json:
        print_json(about | shown)
        return
    secret = {credential.secret for credential in created}
    width = max(6, *(len(name) for name in shown))
    typer.echo(f"Partner {about['partner_id']}: {about['name']} ({about['channel']})")
    for name, value in shown.items():
        note = "   (shown only now: store it safely)" if value in secret else ""
        typer.echo(f"  {name:{width}}  {value}{note}")
