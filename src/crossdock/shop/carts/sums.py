"""What shipping costs, and how a sum is shared over lines; whole minor units, nothing is rounded away."""

from collections.abc import Sequence


def merchant_shipping(
    *,
    subtotal_minor: int,
    flat_minor: int,
    free_from_minor: int | None,
    charges: Sequence[int],
    all_free: bool,
) -> int:
    """What one merchant asks for shipping its lines, once for all of them (spec shoppable 6.3).

    `charges` are the lines' own, quantity included; a line whose shipping is free has none.

    | case | shipping |
    |---|---|
    | the goods are worth `free_from_minor` or more | 0 |
    | every line's shipping is free | 0 |
    | else | the flat rate and the lines' charges |
    """
    if free_from_minor is not None and subtotal_minor >= free_from_minor:
        return 0
    if all_free:
        return 0
    return flat_minor + sum(charges)
