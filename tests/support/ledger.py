"""Short words for the ledger's accounts and balances."""

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.ledger import Account, AccountKind, Transfer


def account(name: str) -> Account:
    """'receivable customer:1' or 'bank'."""
    kind, _, owner = name.partition(" ")
    found: AccountKind = kind  # type: ignore[assignment]  # the tests' own words
    return Account(found, owner)


def transfer(
    debit: str, credit: str, amount_minor: int, *, currency: str = "EUR", kind: str = "sale"
) -> Transfer:
    """From one account to another."""
    return Transfer(
        debit=account(debit),
        credit=account(credit),
        amount_minor=amount_minor,
        currency=currency,
        kind=kind,
    )


async def balances(tx: Transaction, *, shop_id: int) -> dict[str, int]:
    """Every balance of the shop by name, as 'prepaid reseller:1 EUR'."""
    rows = await tx.all(
        "select kind, owner, currency, balance_minor from accounts where shop_id = %s order by 1, 2, 3",
        (shop_id,),
    )
    return {" ".join(filter(None, row[:3])): row[3] for row in rows}
