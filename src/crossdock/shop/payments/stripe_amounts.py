"""Amounts as Stripe counts them: in the currency's minor units, with exceptions of its own."""

from crossdock.kit.money import exponent

_DECIMALS = {"MGA": 0, "ISK": 2, "UGX": 2}
"""Where Stripe counts other decimals than ISO 4217 has."""


def stripe_amount(amount_minor: int, currency: str) -> int | None:
    """Stripe's number for an amount in minor units; None if it cannot say this amount.

    JPY and other currencies without decimals stay as they are. ISK and UGX, which have none either, are
    counted in hundredths, MGA in whole units. Amounts in currencies of three decimals end in 0.
    """
    places = exponent(currency)
    if places == 3:
        return None if amount_minor % 10 else amount_minor
    shift = _DECIMALS.get(currency, places) - places
    if shift >= 0:
        return amount_minor * int(10**shift)
    whole, rest = divmod(amount_minor, int(10**-shift))
    return None if rest else whole
