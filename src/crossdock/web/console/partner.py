"""The page for a partner's people: the partner and its keys, without secrets."""

from datetime import datetime

import msgspec
from starlette.responses import Response

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.languages import gettext
from crossdock.shop.partners import CredentialView, list_partners
from crossdock.shop.people import Visit
from crossdock.web.console.rendering import Pages


class KeyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the page's table of keys."""

    name: str
    is_live: bool
    is_test: bool
    last_use: str


class PartnerPage:
    """One page: name, channel, keys and their last use."""

    def __init__(self, db: Database, pages: Pages) -> None:
        self._db = db
        self._pages = pages

    async def show(self, visit: Visit) -> Response:
        """The page of the partner whose person is signed in. Raises NotFound `not_found`."""
        async with self._db.statement() as tx:
            found = await list_partners(
                tx, shop=visit.person.shop, partner_id=visit.person.partner_id
            )
        if not found:
            raise NotFound(
                "not_found", gettext("Your partner account no longer exists. Ask the shop.")
            )
        keys = [_line(credential) for credential in found[0].credentials]
        return self._pages.page("partner.html", visit=visit, partner=found[0], keys=keys)


def _line(credential: CredentialView) -> KeyLine:
    return KeyLine(
        name=credential.key,
        is_live=credential.is_live,
        is_test=credential.is_test,
        last_use=_last_use(credential.last_used_at),
    )


def _last_use(at: datetime | None) -> str:
    if at is None:
        return gettext("Never used.")
    return gettext("Last used %(at)s UTC.") % {"at": f"{at:%Y-%m-%d %H:%M}"}
