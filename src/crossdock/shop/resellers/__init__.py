"""The reseller programme: terms, relationships, keys, prepaid balances, fulfilments and stock."""

from crossdock.shop.resellers.buying import LimitUnit
from crossdock.shop.resellers.crediting import Balance, credit, prepaid_owner, read_balance
from crossdock.shop.resellers.fulfilling import (
    Fulfilled,
    Fulfilment,
    FulfilmentRequest,
    fulfil,
    read_fulfilment,
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

__all__ = [
    "ACTIONS",
    "EXPIRES_DAYS",
    "EXPIRES_DAYS_MAX",
    "Action",
    "Balance",
    "Fulfilled",
    "Fulfilment",
    "FulfilmentRequest",
    "Invitation",
    "LimitUnit",
    "Mode",
    "NewInvitation",
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
    "StockRequest",
    "StockTransfer",
    "TransferState",
    "accept_invitation",
    "add_key",
    "change_program",
    "change_terms",
    "credit",
    "find_shop_of",
    "fulfil",
    "invite",
    "list_products",
    "list_resellers",
    "list_transfers",
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
]
