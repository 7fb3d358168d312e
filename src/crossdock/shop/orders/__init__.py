"""Orders: drafting, placing, reading, releasing, cancelling, and the states they move through."""

from crossdock.shop.orders.addressing import ADDRESS_FIELDS, correct_address
from crossdock.shop.orders.asking import Opened, Placing, open_order, place_for_customer
from crossdock.shop.orders.cancelling import cancel_order, expire_orders
from crossdock.shop.orders.closing import Closed, close_order
from crossdock.shop.orders.commission import LineCommission, commission_of
from crossdock.shop.orders.draft import (
    DraftLine,
    Identity,
    OrderDraft,
    Placed,
    ReleasePolicy,
    Route,
    Snapshot,
    Take,
)
from crossdock.shop.orders.feed import (
    FEED_MAX,
    Fed,
    FedOrder,
    read_changed_orders,
    read_order_page,
)
from crossdock.shop.orders.identities import (
    Known,
    claim_identity,
    keep_answer,
    purge_identities,
)
from crossdock.shop.orders.listing import OrderRow, list_orders
from crossdock.shop.orders.model import OrderItem, OrderRequest
from crossdock.shop.orders.moving import lock_order, move_order, touch_order
from crossdock.shop.orders.notes import item_note
from crossdock.shop.orders.paying import (
    ORDER_FOLLOWS,
    pay_order,
    refund_order,
    settle_order_payments,
)
from crossdock.shop.orders.placing import number_namespace, order_exists, place, refuse_second
from crossdock.shop.orders.progress import (
    Quantities,
    note_picked,
    note_returned,
    note_shipped,
    note_unpicked,
)
from crossdock.shop.orders.releasing import release_order, run_releases, wake_releases
from crossdock.shop.orders.rules import (
    Rule,
    amount_is_in_range,
    billing_is_complete,
    customer_is_active,
    number_is_unused,
    origin_rule,
    require_amount,
    require_billing,
    require_shipping,
    shipping_is_complete,
    take_of,
    variants_are_known,
)
from crossdock.shop.orders.staff import StaffOrder, place_on_account, place_with_card
from crossdock.shop.orders.standing import LineProgress, Standing, progress_of
from crossdock.shop.orders.states import (
    CANCELLABLE,
    OPEN,
    OVER,
    RETURNABLE,
    STATES,
    WORKABLE,
    OrderState,
)
from crossdock.shop.orders.viewing import (
    LineView,
    OrderView,
    PackageView,
    PartView,
    Section,
    find_order_id,
    read_order,
    read_order_by_key,
)

__all__ = [
    "ADDRESS_FIELDS",
    "CANCELLABLE",
    "FEED_MAX",
    "OPEN",
    "ORDER_FOLLOWS",
    "OVER",
    "RETURNABLE",
    "STATES",
    "WORKABLE",
    "Closed",
    "DraftLine",
    "Fed",
    "FedOrder",
    "Identity",
    "Known",
    "LineCommission",
    "LineProgress",
    "LineView",
    "Opened",
    "OrderDraft",
    "OrderItem",
    "OrderRequest",
    "OrderRow",
    "OrderState",
    "OrderView",
    "PackageView",
    "PartView",
    "Placed",
    "Placing",
    "Quantities",
    "ReleasePolicy",
    "Route",
    "Rule",
    "Section",
    "Snapshot",
    "StaffOrder",
    "Standing",
    "Take",
    "amount_is_in_range",
    "billing_is_complete",
    "cancel_order",
    "claim_identity",
    "close_order",
    "commission_of",
    "correct_address",
    "customer_is_active",
    "expire_orders",
    "find_order_id",
    "item_note",
    "keep_answer",
    "list_orders",
    "lock_order",
    "move_order",
    "note_picked",
    "note_returned",
    "note_shipped",
    "note_unpicked",
    "number_is_unused",
    "number_namespace",
    "open_order",
    "order_exists",
    "origin_rule",
    "pay_order",
    "place",
    "place_for_customer",
    "place_on_account",
    "place_with_card",
    "progress_of",
    "purge_identities",
    "read_changed_orders",
    "read_order",
    "read_order_by_key",
    "read_order_page",
    "refund_order",
    "refuse_second",
    "release_order",
    "require_amount",
    "require_billing",
    "require_shipping",
    "run_releases",
    "settle_order_payments",
    "shipping_is_complete",
    "take_of",
    "touch_order",
    "variants_are_known",
    "wake_releases",
]
