"""Money: the trial balance as of a day, accounts, entries down to their order, and payments with refunds."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.languages import lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.ledger import (
    ACCOUNT_KINDS,
    TrialLine,
    browse_accounts,
    list_entries,
    trial_balance,
)
from crossdock.shop.payments import PAYMENT_STATES, browse_payments
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.events import day_in
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, read_before
from crossdock.web.console.rendering import Pages

MONEY: Final = "/console/money"
ACCOUNT_COLUMNS: Final[Mapping[str, Column]] = {
    "owner": Column(lazy("Owner")),
    "last": Column(lazy("Last entry (UTC)")),
    "balance": Column(lazy("Balance"), is_number=True),
}
PAYMENT_COLUMNS: Final[Mapping[str, Column]] = {
    "when": Column(lazy("When (UTC)")),
    "state": Column(lazy("State")),
    "of": Column(lazy("Of")),
    "amount": Column(lazy("Amount"), is_number=True),
    "refunded": Column(lazy("Refunded"), is_number=True),
}
"""The columns of these lists besides their first."""
_OWNER_MAX: Final = 200


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """A currency of the trial balance: its lines, and the sums of both sides."""

    currency: str
    lines: list[TrialLine]
    debit_minor: int
    credit_minor: int

    @property
    def is_even(self) -> bool:
        """Whether debits are credits."""
        return self.debit_minor == self.credit_minor


class MoneyPages:
    """Reads the ledger and the payments; nothing of them is changed here."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def overview(self, request: Request) -> Response:
        """The trial balance as of the end of a day, today's unless another is named."""
        visit = await self._gate.require_person(request, right="ledger.read")
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            zone = (await read_shop_by_id(tx, shop_id=shop_id)).zone
            today = self._clock.now().astimezone(zone).date()
            start = day_in(request.query_params.get("day", ""), zone)
            day = start.astimezone(zone).date() if start and start.year < date.max.year else today
            until = day_in((day + timedelta(days=1)).isoformat(), zone) or self._clock.now()
            lines = await trial_balance(tx, shop_id=shop_id, until=until)
        return self._pages.page(
            "money.html", visit=visit, sums=_by_currency(lines), day=day, today=today
        )

    async def accounts(self, request: Request) -> Response:
        """Accounts by kind and owner."""
        visit = await self._gate.require_person(request, right="ledger.read")
        values = request.query_params
        kind = values.get("kind") if values.get("kind") in ACCOUNT_KINDS else None
        owner = values.get("owner", "").replace("\x00", "").strip()[:_OWNER_MAX]
        async with self._db.statement() as tx:
            found = await browse_accounts(
                tx,
                shop_id=visit.person.shop_id,
                kind=kind,
                owner=owner or None,
                before=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        return self._pages.page(
            "accounts.html",
            visit=visit,
            columns=read_columns(request, ACCOUNT_COLUMNS),
            accounts=found[:PAGE_SIZE],
            kinds=ACCOUNT_KINDS,
            kind=kind or "",
            owner=owner,
            paging=paging(
                request, older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
            ),
        )

    async def entries(self, request: Request) -> Response:
        """Entries, the newest first: all, or those of an account or an order."""
        visit = await self._gate.require_person(request, right="ledger.read")
        values = request.query_params
        account, order = (
            read_number(values.get("account", "")),
            read_number(values.get("order", "")),
        )
        async with self._db.statement() as tx:
            found = await list_entries(
                tx,
                shop_id=visit.person.shop_id,
                account_id=account,
                order_id=order,
                before=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        return self._pages.page(
            "entries.html",
            visit=visit,
            entries=found[:PAGE_SIZE],
            account=account,
            order=order,
            paging=paging(
                request, older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
            ),
        )

    async def payments(self, request: Request) -> Response:
        """Payments with what was refunded of them."""
        visit = await self._gate.require_person(request, right="ledger.read")
        values = request.query_params
        state = values.get("state") if values.get("state") in PAYMENT_STATES else None
        async with self._db.statement() as tx:
            found = await browse_payments(
                tx,
                shop_id=visit.person.shop_id,
                state=state,
                before=read_before(values),
                limit=PAGE_SIZE + 1,
            )
        return self._pages.page(
            "payments.html",
            visit=visit,
            columns=read_columns(request, PAYMENT_COLUMNS),
            payments=found[:PAGE_SIZE],
            states=PAYMENT_STATES,
            state=state or "",
            paging=paging(
                request, older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
            ),
        )


def _by_currency(lines: list[TrialLine]) -> list[Sums]:
    found: dict[str, list[TrialLine]] = {}
    for line in lines:
        found.setdefault(line.currency, []).append(line)
    return [
        Sums(
            currency=currency,
            lines=rows,
            debit_minor=sum(row.debit_balance_minor for row in rows),
            credit_minor=sum(row.credit_balance_minor for row in rows),
        )
        for currency, rows in found.items()
    ]
