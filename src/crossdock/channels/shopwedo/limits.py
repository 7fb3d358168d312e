"""What bounds a web shop's calls; shown in the docs."""

from crossdock.channels.manifest import Limits
from crossdock.channels.shopwedo import fields, label_form, ordering
from crossdock.channels.shopwedo.auth import AGE_MAX_S, LENGTH_MAX
from crossdock.channels.shopwedo.lists import UNREAD_MAX
from crossdock.channels.shopwedo.methods import PICKUP_POINTS, STOCK_PAGE
from crossdock.channels.shopwedo.wire import SINGLE_QUOTED_MAX
from crossdock.shop.catalogue import SHOWCASE_PAGE
from crossdock.shop.warehouse import WEIGHT_G_MAX

LIMITS = Limits(
    settings=("skew_s",),
    fields=(
        ("age of `timestamp`", f"{AGE_MAX_S // 60} minutes"),
        ("`salt`, `timestamp`", f"1 to {LENGTH_MAX} characters"),
        ("`data` in single quotes", f"{SINGLE_QUOTED_MAX:,} characters"),
        ("`external_order_id`", f"{ordering.NUMBER_MAX} characters"),
        ("`language`", f"{ordering.LANGUAGE_MAX} characters"),
        (
            "`comment` of an order or item, `comment_packing`",
            f"{ordering.COMMENT_MAX:,} characters",
        ),
        ("every other text of an order", f"{ordering.TEXT_MAX} characters"),
        ("`items` of an order", f"1 to {ordering.ITEMS_MAX}"),
        ("`items[].amount` of an order", f"1 to {ordering.AMOUNT_MAX:,}"),
        ("`items` of a return", f"1 to {fields.ITEMS_MAX}"),
        ("a text of another method", f"{fields.TEXT_MAX} characters"),
        ("numbers in one filter of ids", f"{fields.IDS_MAX:,}"),
        ("getStock: items of a page", f"{STOCK_PAGE}"),
        ("lists with `offset`: entries of a page", f"{SHOWCASE_PAGE}"),
        ("long lists without `offset` that are being sent to a partner", f"{UNREAD_MAX}"),
        ("pudo: pick-up points of an answer", f"{PICKUP_POINTS}"),
        ("label form: a text", f"{label_form.TEXT_MAX} characters"),
        ("label form: the reference", f"{label_form.REFERENCE_MAX} of `A-Z a-z 0-9 _ -`"),
        ("label form: the weight", f"{WEIGHT_G_MAX:,} grams"),
    ),
)
