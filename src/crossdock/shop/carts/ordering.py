"""A cart as it is billed: each line with its share of the shipping and its tax, so that the parts are the total."""

from collections.abc import Sequence
from typing import Any

import msgspec

from crossdock.kit.money import allocate
from crossdock.shop.carts.model import CartLine, CartView
from crossdock.shop.orders import DraftLine, Snapshot, Take
from crossdock.shop.pricing import Taxable


class BilledLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line with its share of its merchant's shipping, and its tax, in minor units."""

    line: CartLine
    shipping_minor: int
    tax_minor: int = 0

    @property
    def total_minor(self) -> int:
        """Goods, shipping and tax."""
        return self.line.total_minor + self.shipping_minor + self.tax_minor

    def draft(self, *, take: Take | None, hold_id: int | None, channel_data: Any) -> DraftLine:
        """The line of an order."""
        line = self.line
        return DraftLine(
            variant=Snapshot(
                variant_id=line.variant_id,
                product_id=line.product_id,
                merchant_id=line.merchant_id,
                sku=line.sku,
                upc=line.upc,
                origin=line.origin,
                image=line.image,
                vat_bp=line.vat_bp,
                virtual=line.virtual,
            ),
            name=line.name,
            quantity=line.quantity,
            unit_price_minor=line.price_minor,
            tax_minor=self.tax_minor,
            shipping_minor=self.shipping_minor,
            take=take,
            hold_id=hold_id,
            channel_data=channel_data,
        )


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of a cart, merchant by merchant."""

    lines: tuple[BilledLine, ...]

    @property
    def total_minor(self) -> int:
        """What the order costs."""
        return sum(line.total_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """The tax of all lines."""
        return sum(line.tax_minor for line in self.lines)

    def taxables(self) -> list[Taxable]:
        """What is taxed, line by line."""
        return [
            Taxable(
                variant_id=billed.line.variant_id,
                goods_minor=billed.line.total_minor,
                shipping_minor=billed.shipping_minor,
            )
            for billed in self.lines
        ]

    def taxed(self, taxes: Sequence[int]) -> "Bill":
        """The bill with the tax of each line, in their order."""
        lines = zip(self.lines, taxes, strict=True)
        return Bill(
            lines=tuple(msgspec.structs.replace(line, tax_minor=tax) for line, tax in lines)
        )


def bill_of(cart: CartView) -> Bill:
    """The cart's lines without tax, each merchant's shipping shared in proportion to what its goods cost."""
    lines = []
    for merchant in cart.merchants:
        shares = allocate(merchant.shipping_minor, [line.total_minor for line in merchant.lines])
        lines += [
            BilledLine(line=line, shipping_minor=share)
            for line, share in zip(merchant.lines, shares, strict=True)
        ]
    return Bill(lines=tuple(lines))
