"""Recompute the ledger's balances from its entries."""

import msgspec

from crossdock.db.unit_of_work import Transaction

_CHECKS = {
    "balances are the sums of their rows": "select * from ledger_balances(%s)",
    "debits are the sums of their rows": "select * from ledger_debits(%s)",
    "rows carry the balances after them": "select * from ledger_running(%s)",
    "the balances of a currency sum to zero": "select * from ledger_sums(%s)",
}


class LedgerDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A stored number that differs from the recomputed one."""

    check: str
    place: str
    expected: str
    found: str


async def verify_ledger(tx: Transaction, *, shop_id: int) -> list[LedgerDifference]:
    """Every difference in the shop's ledger; none are expected."""
    return [
        LedgerDifference(check=check, place=row[0], expected=row[1], found=row[2])
        for check, query in _CHECKS.items()
        for row in await tx.all(query, (shop_id,))
        if row[3]
    ]
