"""The shop's partners: their terms, and their keys with rotation, last use and switching off."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid, NotFound
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.partners import (
    CredentialView,
    PartnerView,
    Terms,
    disable_credential,
    enable_credential,
    list_partners,
    refuse_kept_by_others,
    revoke_old_secrets,
    rotate_secret,
    set_terms,
)
from crossdock.web.console.confirming import Effect, Question, ask, is_sure
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.partner_calls import HOURS
from crossdock.web.console.partner_reading import (
    OVERLAPS_S,
    PARTNERS,
    partner_of,
    partner_page,
)
from crossdock.web.console.rendering import Pages, redirect

COLUMNS: Final[Mapping[str, Column]] = {
    "channel": Column(lazy("Channel")),
    "calls": Column(lazy("Calls")),
    "keys": Column(lazy("Live keys"), is_number=True),
    "last_call": Column(lazy("Last call (UTC)")),
}
"""The columns of the list besides its first."""
_DONE: Final = {
    "terms": lazy("The terms are changed, from the partner's next request on."),
    "on": lazy("The partner may call again."),
    "off": lazy("The partner's calls are refused from now on. Its orders stay as they are."),
    "key-on": lazy("The key works again."),
    "key-off": lazy("Calls with the key are refused from now on."),
    "old-off": lazy("The older secrets are revoked; the newest one works."),
    "watched": lazy("The partner's requests are kept from now on."),
    "unwatched": lazy("Requests are no longer kept; those below stay for a week."),
}


class PartnerPages:
    """The list of partners, and a partner's page."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """All partners of the shop with the last use of their keys."""
        visit = await self._gate.require_person(request, right="partners.manage")
        async with self._db.statement() as tx:
            partners = await list_partners(tx, shop=visit.person.shop)
        return self._pages.page(
            "partners.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            partners=partners,
            last_use=_last_use_of,
        )

    async def show(self, request: Request) -> Response:
        """A partner with its terms and keys."""
        visit = await self._gate.require_person(request, right="partners.manage")
        async with self._db.statement() as tx:
            return await partner_page(
                tx,
                self._pages,
                visit=visit,
                partner=await partner_of(tx, request, visit.person),
                now=self._clock.now(),
                hours=HOURS,
                done=_DONE.get(request.query_params.get("done", ""), ""),
            )

    async def rotate(self, request: Request) -> Response:
        """Make a new secret, and show it this once; the older one works for the chosen time."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        now, overlap = self._clock.now(), form.get("overlap_s", "")
        if overlap not in OVERLAPS_S:
            raise Invalid("invalid_input", gettext("Choose how long the old secret still works."))
        async with self._db.begin() as tx:
            partner = await partner_of(tx, request, visit.person)
            created = await rotate_secret(
                tx,
                key=_key(partner, form).key,
                channel=partner.channel,
                ids=self._services.ids,
                box=self._services.box,
                now=now,
                overlap_s=int(overlap),
            )
            return await partner_page(
                tx,
                self._pages,
                visit=visit,
                partner=await partner_of(tx, request, visit.person),
                now=now,
                hours=HOURS,
                created=created.shown,
            )

    async def revoke_old(self, request: Request) -> Response:
        """Revoke all secrets of a key but the newest; asked first."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        if not is_sure(form):
            async with self._db.statement() as tx:
                partner = await partner_of(tx, request, visit.person)
            question = Question(
                title=gettext("Revoke the older secrets of %(key)s?")
                % {"key": _key(partner, form).key},
                effects=[
                    Effect(
                        gettext("Calls"),
                        gettext(
                            "A call with an older secret is refused at once. The newest one works as before."
                        ),
                    ),
                ],
                button=gettext("Revoke now"),
                back=f"{PARTNERS}/{partner.id}",
                here="partners",
            )
            return ask(self._pages, request, visit=visit, form=form, question=question)
        async with self._db.begin() as tx:
            partner = await partner_of(tx, request, visit.person)
            await revoke_old_secrets(
                tx,
                key=_key(partner, form).key,
                channel=partner.channel,
                now=self._clock.now(),
            )
        return _to(partner, "old-off")

    async def switch_key(self, request: Request) -> Response:
        """Refuse calls with a key, or accept them again."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            partner = await partner_of(tx, request, visit.person)
            key, channel = _key(partner, form).key, partner.channel
            if is_on:
                await enable_credential(tx, key=key, channel=channel)
            else:
                await disable_credential(tx, key=key, channel=channel, now=self._clock.now())
        return _to(partner, "key-on" if is_on else "key-off")

    async def switch(self, request: Request) -> Response:
        """Refuse all calls of a partner, or accept them again."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            partner = await partner_of(tx, request, visit.person)
            if is_on:
                await refuse_kept_by_others(tx, partner_id=partner.id)
            await set_terms(tx, partner_id=partner.id, terms=Terms(active=is_on))
        return _to(partner, "on" if is_on else "off")


def _key(partner: PartnerView, form: Form) -> CredentialView:
    """The key that the form names, which is the partner's own. Raises NotFound `not_found`."""
    for credential in partner.credentials:
        if credential.key == form.get("key", ""):
            return credential
    raise NotFound("not_found", gettext("The partner has no such key."))


def _last_use_of(partner: PartnerView) -> datetime | None:
    uses = [each.last_used_at for each in partner.credentials if each.last_used_at]
    return max(uses, default=None)


def _to(partner: PartnerView, done: str) -> Response:
    return redirect(f"{PARTNERS}/{partner.id}?done={done}")
