"""What checkout, an order and the order feed answer: one object for each line (spec 7.2, 8.2)."""

from typing import Annotated

from msgspec import Meta, Struct

from crossdock.channels.shoppable.wire import Amount


class WireOrderLine(Struct, frozen=True, kw_only=True):
    """A line of an order with what holds for the whole order, the same on each of its lines."""

    merchant: str
    merchant_id: str
    color: str
    size: str
    mfg_part_number: str
    mfg_sku: str
    part_number: str
    sku: str
    upc: str
    price: Annotated[Amount, Meta(description="Of one unit.")]
    shipping_charge: Annotated[Amount, Meta(description="The line's share of the shipping.")]
    quantity: int
    title: str
    brand: str
    url: str
    status: Annotated[int, Meta(description="2 is Pending; the guide has all of them.")]
    id: Annotated[int, Meta(description="The order's own number.")]
    number: Annotated[str, Meta(description="The order number: `R` and nine digits.")]
    partner_id: int
    total: Annotated[str, Meta(description="Of the whole order.")]
    item_total: Annotated[str, Meta(description="All goods of the order.")]
    shipping_total: Annotated[str, Meta(description="This merchant's shipping.")]
    shipping_first_name: str
    shipping_last_name: str
    shipping_phone: str
    shipping_company: str
    shipping_street1: str
    shipping_street2: str
    shipping_city: str
    shipping_state: str
    shipping_postal_code: str
    shipping_country: str
    shipping_email: str
    billing_first_name: str
    billing_last_name: str
    billing_phone: str
    billing_company: str
    billing_street1: str
    billing_street2: str
    billing_city: str
    billing_state: str
    billing_postal_code: str
    billing_country: str
    billing_email: str
    payment_method: Annotated[int, Meta(description="1 is a card.")]
    completed_total: Annotated[str, Meta(description="0.00 until the order is Complete.")]
    completed_item_total: str
    completed_order_total: str
    completed_shipping_total: str
    created_at: str
    updated_at: str
    expunged: bool
    currency: str
    customer_id: str
    opt_in: str
    language: str
    tracking_number: str
    tax_payable: Annotated[str, Meta(description="Of the whole order.")]
    campaign: str
    cart_id: str
    last_modified_by: str
    merchant_total: Annotated[Amount, Meta(description="This merchant's goods.")]


class WireFedLine(Struct, frozen=True, kw_only=True, rename={"previous_status": "prevStatus"}):
    """A line of the order feed."""

    order_number: str
    partner_id: int
    total: Annotated[str, Meta(description="Of the whole order, with shipping and tax.")]
    shipping_total: Annotated[str, Meta(description="This merchant's shipping.")]
    id: int
    billing_email: str
    order_date: str
    order_status: str
    billing_first_name: str
    billing_last_name: str
    billing_postal_code: str
    billing_state: str
    billing_city: str
    billing_street1: str
    billing_street2: str
    billing_company: str
    billing_phone: str
    billing_country: str
    shipping_first_name: str
    shipping_country: str
    shipping_last_name: str
    shipping_postal_code: str
    shipping_state: str
    shipping_city: str
    shipping_street1: str
    shipping_street2: str
    shipping_company: str
    shipping_phone: str
    shipping_email: str
    item_total: Annotated[str, Meta(description="All goods of the order.")]
    opt_in: str
    part_number: str
    merchant_order_id: Annotated[
        str, Meta(description="The number that the merchant's system gave it; empty until then.")
    ]
    product_name: str
    upc: str
    brand: str
    sku: str
    title: str
    quantity: str
    price: str
    subtotal: str
    merchant: str
    merchant_id: str
    previous_status: str
    lineitem_id: int
    lineitem_status: str
    lineitem_url: str
    lineitem_image_url: str
    lineitem_color: str
    lineitem_size: str
    commission_rate: int
    commission: str
    merchant_total: Annotated[str, Meta(description="This merchant's goods.")]
    tax: Annotated[Amount, Meta(description="Of the whole order.")]
    partner_name: str
    partner_domain: str
    sequence: Annotated[
        int, Meta(description="The number of the order's newest change; `after` continues from it.")
    ]


class WireLogin(Struct, frozen=True, kw_only=True):
    """The token of a name and a password."""

    auth: bool
    token: str
    expire: Annotated[int, Meta(description="Unix time in seconds.")]
