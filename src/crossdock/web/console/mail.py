"""The mailbox: what this server wrote to people, and whether it was sent."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.gate import Gate
from crossdock.kit.languages import lazy
from crossdock.shop.mailing import MailContent, list_mails, read_mail
from crossdock.shop.people import Visit, has_address_whole
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, read_before
from crossdock.web.console.rendering import Pages

MAIL: Final = "/console/mail"
COLUMNS: Final[Mapping[str, Column]] = {
    "to": Column(lazy("To")),
    "written": Column(lazy("Written (UTC)")),
    "status": Column(lazy("Status")),
}
"""The columns of the list besides its first."""
_TO_MAX: Final = 254
_INTO_ACCOUNTS: Final = ("person_invitation", "password_reset")
_TO_OWNERS: Final = (*_INTO_ACCOUNTS, "item_delivery", "order_delivery")
"""What whoever manages people may read whole; the link of a reseller's invitation proves an address to every shop."""


class MailPages:
    """The newest mails, and one mail as text."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database

    async def browse(self, request: Request) -> Response:
        """The newest mails of the shop, or those to one address."""
        visit = await self._gate.require_person(request, right="mail.read")
        to = request.query_params.get("to", "").replace("\x00", "").strip()[:_TO_MAX]
        async with self._db.statement() as tx:
            found = await list_mails(
                tx,
                shop_id=visit.person.shop_id,
                to=to or None,
                before=read_before(request.query_params),
                limit=PAGE_SIZE + 1,
            )
        mails = found[:PAGE_SIZE]
        older = mails[-1].id if len(found) > PAGE_SIZE else None
        return self._pages.page(
            "mails.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            mails=mails,
            to=to,
            paging=paging(request, older=older),
        )

    async def show(self, request: Request) -> Response:
        """One mail, as the text that its reader sees without HTML."""
        visit = await self._gate.require_person(request, right="mail.read")
        mail_id = path_number(request, "mail")
        async with self._db.statement() as tx:
            mail = await self._read(
                tx, visit, mail_id, reveals=_TO_OWNERS if visit.person.may("people.manage") else ()
            )
            if mail.template in _INTO_ACCOUNTS and not await has_address_whole(
                tx, shop_id=visit.person.shop_id, email=mail.to
            ):
                mail = await self._read(tx, visit, mail_id)
        return self._pages.page("mail.html", visit=visit, mail=mail)

    async def _read(
        self, tx: Transaction, visit: Visit, mail_id: int, *, reveals: tuple[str, ...] = ()
    ) -> MailContent:
        return await read_mail(
            tx,
            shop_id=visit.person.shop_id,
            mail_id=mail_id,
            box=self._services.box,
            reveals=reveals,
        )
