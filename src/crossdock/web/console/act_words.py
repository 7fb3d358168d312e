"""Acts of staff in words: what was done, and to which page it leads."""

import re
from datetime import datetime
from typing import Final, NamedTuple

from crossdock.kit.languages import gettext, lazy, ngettext
from crossdock.shop.acts import ActView
from crossdock.web.console.act_names import ACT_NAMES

_SUBJECTS: Final = re.compile(r"(/[a-z_-]+/[a-z_-]+(?:/\d+)?)")
_CHOSEN: Final = re.compile(r"order\.\d+")
_SINGULAR: Final = {
    "people": lazy("Person"), "orders": lazy("Order"), "partners": lazy("Partner"), "products": lazy("Product"),
    "customers": lazy("Customer"), "merchants": lazy("Merchant"), "tickets": lazy("Ticket"), "stock": lazy("Variant"),
    "deliveries": lazy("Delivery"), "alerts": lazy("Alert"), "account": lazy("Own account"), "mail": lazy("Mail"),
    "promotions": lazy("Promotion"), "imports": lazy("Import"),
    "endpoints": lazy("Endpoint"), "payouts": lazy("Payout"), "search": lazy("Search"),
}  # fmt: skip


class ToldAct(NamedTuple):
    """An act as the log shows it; `path` is '' where there is no page of what it was done to."""

    done_at: datetime
    actor: str
    person_id: int | None
    what: str
    subject: str
    path: str
    details: dict[str, str]
    source: str


def told(act: ActView) -> ToldAct:
    """The act in words."""
    if not act.act.startswith("/"):
        what, subject, path = act.act, act.subject, ""
    else:
        what, subject, path = _of_page(act.subject)
    return ToldAct(
        act.done_at, act.actor, act.person_id, what, subject, path, _folded(act.details), act.source
    )


def _of_page(path: str) -> tuple[str, str, str]:
    """('Cancel', 'Order 1042', its page) of the address that a form was sent to."""
    words = [word for word in path.split("/") if word][1:]
    if not words:
        return path, "", ""
    kind = _SINGULAR.get(words[0], _plain(words[0]))
    number = words[1] if len(words) > 1 and words[1].isdigit() else ""
    verbs = words[2:] if number else words[1:]
    what = _named(words[0], verbs) or (gettext("Change") if number else gettext("Add or change"))
    leads = _SUBJECTS.match(path)
    return what, f"{kind} {number}".strip(), leads[1] if leads and number else ""


def _named(area: str, verbs: list[str]) -> str:
    """What was done, by the parts of the address without numbers; '' if it is the page itself and has no name."""
    parts = "/".join(verb for verb in verbs if not verb.isdigit())
    return str(ACT_NAMES.get(area, {}).get(parts) or _plain(parts))


def _folded(details: dict[str, str]) -> dict[str, str]:
    """The details of an act, the many chosen orders as their number."""
    chosen = [name for name in details if _CHOSEN.fullmatch(name)]
    if not chosen:
        return details
    others = {name: value for name, value in details.items() if name not in chosen}
    many = ngettext("%(n)s order", "%(n)s orders", len(chosen)) % {"n": len(chosen)}
    return {gettext("chosen"): many, **others}


def _plain(text: str) -> str:
    return text.replace("-", " ").replace("_", " ").replace("/", " ").capitalize()
