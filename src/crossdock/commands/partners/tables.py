"""Print partners on a terminal."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from crossdock.terminal import print_json, print_table, report

if TYPE_CHECKING:
    from crossdock.shop.partners import CredentialView, NewCredential, PartnerView, SecretView

_WORDS = {"signature": "secret", "bearer": "token", "password": "password"}


def print_partners(partners: "list[PartnerView]") -> None:
    """Print one line per partner."""
    from rich.table import Table

    table = Table("Partner", "Shop", "Channel", "Name", "Active", "Backorder", "Customer")
    table.add_column("Keys", no_wrap=True)
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
    print_table(table)


def print_partner(partner: "PartnerView") -> None:
    """Print all terms in the syntax of `partner set`, and the keys with the validity of their secrets."""
    terms = _terms(partner)
    width = max(map(len, terms))
    for name, text in terms.items():
        typer.echo(f"{name:{width}} {text}")
    for credential in partner.credentials:
        typer.echo(f"{'key':{width}} {_key_text(credential)}")
        for secret in credential.secrets:
            hint = f" {secret.hint}..." if secret.hint else ""
            typer.echo(
                f"{'':{width}}   {_WORDS[credential.proof]} {secret.id}{hint}: {_life(secret)}"
            )


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


def _terms(partner: "PartnerView") -> dict[str, str]:
    """Names and values; all but the first four are accepted by `partner set`."""
    merchants = partner.visible_merchants
    return {
        "partner": str(partner.id),
        "shop": partner.shop,
        "channel": partner.channel,
        "name": partner.name,
        "active": _yes(partner.active),
        "customer": _text(partner.customer_id),
        "permissions": ",".join(partner.permissions) or "none",
        "backorder": _yes(partner.backorder),
        "min_amount_minor": _text(partner.min_amount_minor),
        "max_amount_minor": _text(partner.max_amount_minor),
        "visible_merchants": "all" if merchants is None else ",".join(map(str, merchants)),
        "price_list": _text(partner.price_list_id),
        **{name: _text(value) for name, value in sorted(partner.settings.items())},
        **dict.fromkeys(partner.secrets, "(set, not shown)"),
    }


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    return str(value)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def show_partner(partner: "PartnerView", *, as_json: bool) -> None:
    """Print a partner as a table or as JSON."""
    report(partner, as_json=as_json, text=lambda: print_partner(partner))


def show_secrets(
    about: dict[str, Any], created: "Sequence[NewCredential]", *, as_json: bool
) -> None:
    """Print new credentials; their secrets are shown only now."""
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
