"""The reseller programme: terms, relationships, keys, prepaid balances, fulfilments and stock."""

from crossdock.shop.resellers.buying import LimitUnit
from crossdock.shop.resellers.crediting import Balance, credit, prepaid_owner, read_balance
from crossdock.shop.resellers.fulfilling import (
    Fulfilled,
    Fulfilment,
    FulfilmentRequest,
    find_fulfilments,
    fulfil,
    read_fulfilment,
)
from crossdock.shop.resellers.inventory import (
    DeliveredItem,
    ItemState,
    StockItem,
    deliver_item,
    list_items,
)
from crossdock.shop.resellers.inviting import (
    EXPIRES_DAYS,
    EXPIRES_DAYS_MAX,
    accept_invitation,
    invite,
)
from crossdock.shop.resellers.keys import add_key
from crossdock.shop.resellers.model import (
    Invitation,
    Mode,
    NewInvitation,
    ProductTerms,
    Program,
    ProgramChanges,
    Reseller,
    ResellerTerms,
    Status,
)
from crossdock.shop.resellers.programs import change_program, read_program
from crossdock.shop.resellers.purchasing import (
    PaymentSource,
    StockRequest,
    StockTransfer,
    TransferState,
    list_transfers,
    read_transfer,
    request_stock,
)
from crossdock.shop.resellers.reading import (
    find_shop_of,
    list_resellers,
    read_reseller,
    read_reseller_of,
)
from crossdock.shop.resellers.relating import ACTIONS, Action, change_terms, move_reseller
from crossdock.shop.resellers.selling import (
    ResellerProduct,
    ResellerProducts,
    ResellerVariant,
    list_products,
)
from crossdock.shop.resellers.stating import StatementLine, read_statement
from crossdock.shop.resellers.transferring import (
    allocate_transfer,
    mark_transfer_paid,
    revoke_transfer,
)

__all__ = [
    "ACTIONS",
    "EXPIRES_DAYS",
    "EXPIRES_DAYS_MAX",
    "Action",
    "Balance",
    "DeliveredItem",
    "Fulfilled",
    "Fulfilment",
    "FulfilmentRequest",
    "Invitation",
    "ItemState",
    "LimitUnit",
    "Mode",
    "NewInvitation",
    "PaymentSource",
    "ProductTerms",
    "Program",
    "ProgramChanges",
    "Reseller",
    "ResellerProduct",
    "ResellerProducts",
    "ResellerTerms",
    "ResellerVariant",
    "StatementLine",
    "Status",
    "StockItem",
    "StockRequest",
    "StockTransfer",
    "TransferState",
    "accept_invitation",
    "add_key",
    "allocate_transfer",
    "change_program",
    "change_terms",
    "credit",
    "deliver_item",
    "find_fulfilments",
    "find_shop_of",
    "fulfil",
    "invite",
    "list_items",
    "list_products",
    "list_resellers",
    "list_transfers",
    "mark_transfer_paid",
    "move_reseller",
    "prepaid_owner",
    "read_balance",
    "read_fulfilment",
    "read_program",
    "read_reseller",
    "read_reseller_of",
    "read_statement",
    "read_transfer",
    "request_stock",
    "revoke_transfer",
]
