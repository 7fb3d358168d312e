"""Double-entry ledger: append-only accounts and transfers; balances of a currency sum to zero."""

from crossdock.shop.ledger.chart import ACCOUNT_KINDS, AccountKind
from crossdock.shop.ledger.posting import Account, Transfer, post_transfers, refusing_overdraft
from crossdock.shop.ledger.reading import (
    AccountView,
    LedgerEntry,
    browse_accounts,
    list_accounts,
    list_entries,
)
from crossdock.shop.ledger.trial import TrialLine, trial_balance
from crossdock.shop.ledger.verifying import LedgerDifference, verify_ledger

__all__ = [
    "ACCOUNT_KINDS",
    "Account",
    "AccountKind",
    "AccountView",
    "LedgerDifference",
    "LedgerEntry",
    "Transfer",
    "TrialLine",
    "browse_accounts",
    "list_accounts",
    "list_entries",
    "post_transfers",
    "refusing_overdraft",
    "trial_balance",
    "verify_ledger",
]
