"""The section of carts."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings.section import Count, Section


class CartsSection(Section, frozen=True, kw_only=True):
    """Shoppers' carts."""

    table: ClassVar[str] = "carts"
    part: ClassVar[str] = "shop/carts"

    put_mode: Annotated[
        Literal["set", "add"],
        Meta(description="Whether putting a variant into a cart sets its quantity or adds to it."),
    ] = "set"
    line_max: Annotated[
        Count, Meta(description="Most units of one variant in a cart; more is lowered to it.")
    ] = 12
    lines_max: Annotated[Count, Meta(description="Most variants in a cart.")] = 100
    keep_days: Annotated[
        Count, Meta(description="How long a cart is kept after its last change.")
    ] = 1826
    keep_empty_days: Annotated[
        Count, Meta(description="How long an empty cart is kept after its last change.")
    ] = 90
