"""Forms of the reseller programme: percentages, amounts and limits as people write them; an empty field is none."""

from typing import Final

from crossdock.errors import Invalid
from crossdock.gate import Form
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.money import format_minor, format_rate_bp, parse_rate_bp, parse_typed_amount
from crossdock.kit.numbers import read_number
from crossdock.shop.resellers import Mode, Program, ProgramChanges, Reseller, ResellerTerms

_MODES: Final[dict[str, Mode]] = {"affiliate": "affiliate", "stock": "stock", "both": "both"}
_URL_MAX: Final = 2_000
_NAMES: Final = {
    "commission": lazy("Commission"),
    "discount": lazy("Discount"),
    "limit_daily": lazy("Most units a day"),
    "limit_monthly": lazy("Most units a month"),
    "days": lazy("Days that the link works"),
    "min_payout": lazy("Least amount of a payout"),
}


def program_form(program: Program, *, currency: str) -> Form:
    """The settings as their form shows them."""
    least = program.min_payout_minor
    return {
        "enabled": "on" if program.enabled else "",
        "mode": program.default_mode,
        "commission": _percent(program.default_commission_bp),
        "discount": _percent(program.default_discount_bp),
        "min_payout": "" if least is None else format_minor(least, currency),
        "verify": "on" if program.requires_verification else "",
        "terms_url": program.terms_url or "",
    }


def program_changes(form: Form, *, currency: str) -> ProgramChanges:
    """The settings of a form. Raises Invalid `invalid_input` in the field's own name."""
    least = form.get("min_payout", "").strip()
    return ProgramChanges(
        enabled=form.get("enabled") == "on",
        default_mode=_mode(form.get("mode", "")),
        default_commission_bp=_rate(form, "commission"),
        default_discount_bp=_rate(form, "discount"),
        min_payout_minor=_amount(least, currency=currency) if least else None,
        requires_verification=form.get("verify") == "on",
        terms_url=_url(form.get("terms_url", "")),
    )


def terms_form(reseller: Reseller) -> Form:
    """The terms of a relationship as their form shows them."""
    daily, monthly = reseller.limit_daily, reseller.limit_monthly
    return {
        "mode": reseller.mode,
        "commission": _percent(reseller.commission_bp),
        "discount": _percent(reseller.discount_bp),
        "limit_daily": "" if daily is None else str(daily),
        "limit_monthly": "" if monthly is None else str(monthly),
    }


def read_terms(form: Form) -> ResellerTerms:
    """The terms of a form, all products or those that were agreed. Raises Invalid `invalid_input`."""
    return ResellerTerms(
        mode=_mode(form.get("mode", "")),
        commission_bp=_rate(form, "commission"),
        discount_bp=_rate(form, "discount"),
        limit_daily=whole(form, "limit_daily"),
        limit_monthly=whole(form, "limit_monthly"),
    )


def whole(form: Form, name: str) -> int | None:
    """A whole number; None for an empty field. Raises Invalid `invalid_input`."""
    text = form.get(name, "").strip()
    number = read_number(text)
    if text and number is None:
        raise _invalid(name, gettext("a whole number"))
    return number


def _mode(text: str) -> Mode:
    mode = _MODES.get(text)
    if mode is None:
        raise Invalid("invalid_input", gettext("Choose what the reseller may do."))
    return mode


def _rate(form: Form, name: str) -> int | None:
    text = form.get(name, "").strip().removesuffix("%").strip().replace(",", ".")
    if not text:
        return None
    try:
        return parse_rate_bp(text)
    except Invalid as error:
        raise _invalid(name, gettext("a percentage from 0 to 100")) from error


def _amount(text: str, *, currency: str) -> int:
    try:
        amount = parse_typed_amount(text, currency=currency)
    except Invalid as error:
        raise _invalid("min_payout", gettext("an amount such as 20.00")) from error
    if amount < 0:
        raise _invalid("min_payout", gettext("an amount such as 20.00"))
    return amount


def _url(text: str) -> str | None:
    wanted = text.strip()
    if not wanted:
        return None
    if not wanted.startswith(("https://", "http://")) or len(wanted) > _URL_MAX or " " in wanted:
        raise Invalid("invalid_input", gettext("The address of the terms begins with https://."))
    return wanted


def _percent(basis_points: int | None) -> str:
    return "" if basis_points is None else format_rate_bp(basis_points)


def _invalid(name: str, wanted: str) -> Invalid:
    message = gettext("%(field)s: write %(wanted)s, or leave it empty.") % {
        "field": str(_NAMES[name]),
        "wanted": wanted,
    }
    return Invalid("invalid_input", message, {"field": name})
