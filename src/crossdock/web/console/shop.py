"""The shop itself: its state for the home page, the first steps of a new one, its settings and the server's."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import available_timezones

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid
from crossdock.gate import Form, Gate, receive_form, seller_of
from crossdock.kit.countries import countries_by_name
from crossdock.kit.languages import gettext, lazy, spoken
from crossdock.settings import Told
from crossdock.shop.changing_shops import change_shop
from crossdock.shop.customers import Address
from crossdock.shop.doctor_runs import DoctorRun, read_last_run
from crossdock.shop.media import file_name, keep_image
from crossdock.shop.overview import (
    ChannelSales,
    FirstSteps,
    Overview,
    read_first_steps,
    read_overview,
    read_sales,
)
from crossdock.shop.people import Visit
from crossdock.shop.shops import Shop, has_one_shop, read_shop_by_id, set_sender
from crossdock.shop.warehouse import read_sender
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

SETTINGS: Final = "/console/settings"
START: Final = "/console/start"
SENDER: Final = {
    "company": lazy("Company"),
    "first_name": lazy("First name"),
    "last_name": lazy("Last name"),
    "street": lazy("Street"),
    "house_number": lazy("House number"),
    "box": lazy("Box"),
    "postcode": lazy("Postal code"),
    "city": lazy("City"),
    "country": lazy("Country"),
    "phone": lazy("Phone"),
    "email": lazy("E-mail"),
}
_DONE: Final = {
    "shop": lazy("The shop is changed, from the partners' next request on."),
    "logo": lazy("The logo is changed; the pages of your buyers show it."),
    "no_logo": lazy("The logo is removed."),
    "sender": lazy("The sender is changed; labels that are made from now on carry it."),
}
_TEXT_MAX: Final = 200


class ShopState(msgspec.Struct, frozen=True, kw_only=True):
    """What the home page shows of the shop; None where the person may not see it, or there is none yet.

    The doctor looks at all shops of a server, so its run is told where `is_alone`: there is no other shop.
    """

    shop: Shop
    now: datetime
    overview: Overview | None
    sales: list[ChannelSales]
    is_alone: bool
    doctor: DoctorRun | None
    steps: FirstSteps | None


class ShopPages:
    """The first steps, and the settings."""

    def __init__(
        self,
        gate: Gate,
        pages: Pages,
        *,
        services: Services,
        tell_settings: Callable[[], list[Told]],
    ) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock
        self._tell_settings = tell_settings

    async def state(self, visit: Visit) -> ShopState:
        """The shop's state, of what the person may see."""
        person, now = visit.person, self._clock.now()
        reads, manages = person.may("orders.read"), person.may("partners.manage")
        async with self._db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=person.shop_id)
            is_alone = await has_one_shop(tx)
            return ShopState(
                shop=shop,
                now=now,
                overview=await read_overview(tx, shop_id=shop.id, now=now) if reads else None,
                sales=await read_sales(tx, shop_id=shop.id, time_zone=shop.time_zone, now=now)
                if reads
                else [],
                is_alone=is_alone,
                doctor=await read_last_run(tx) if reads and is_alone else None,
                steps=await read_first_steps(tx, shop_id=shop.id) if manages else None,
            )

    async def start(self, request: Request) -> Response:
        """The steps from an empty shop to a partner's first order, and which are done."""
        visit = await self._gate.require_person(request, right="partners.manage")
        async with self._db.statement() as tx:
            steps = await read_first_steps(tx, shop_id=visit.person.shop_id)
        return self._pages.page("start.html", visit=visit, steps=steps)

    async def settings(self, request: Request) -> Response:
        """The shop's settings with their forms, and the server's with their source."""
        visit = await self._gate.require_person(request, right="shop.manage")
        return await self._page(visit, done=_DONE.get(request.query_params.get("done", ""), ""))

    async def change(self, request: Request) -> Response:
        """Change name, country, languages, time zone and the address of product pages."""
        visit, form = await self._gate.require_form(request, right="shop.manage")
        languages = form.get("languages", "").replace(",", " ").split()
        try:
            async with self._db.begin() as tx:
                await change_shop(
                    tx,
                    shop_id=visit.person.shop_id,
                    now=self._clock.now(),
                    name=form.get("name", ""),
                    country=form.get("country", ""),
                    languages=tuple(languages),
                    time_zone=form.get("time_zone", ""),
                    product_url=form.get("product_url", ""),
                )
        except CrossdockError as error:
            if error.code != "invalid_input":
                raise
            return await self._page(visit, failed="shop", form=form, error=error)
        return redirect(f"{SETTINGS}?done=shop")

    async def change_sender(self, request: Request) -> Response:
        """Change the sender of parcels."""
        visit, form = await self._gate.require_form(request, right="shop.manage")
        given = {name: form.get(name, "").strip()[:_TEXT_MAX] for name in SENDER}
        try:
            async with self._db.begin() as tx:
                await set_sender(tx, shop_id=visit.person.shop_id, sender=Address(**given))
        except CrossdockError as error:
            if error.code != "invalid_input":
                raise
            return await self._page(visit, failed="sender", form=form, error=error)
        return redirect(f"{SETTINGS}?done=sender")

    async def change_logo(self, request: Request) -> Response:
        """Take an image as the shop's logo."""
        visit = await self._gate.require_person(request, right="shop.manage")

        def check(token: str) -> None:
            self._gate.check_form(visit, form_token=token)

        folder = self._services.import_folder.path
        async with receive_form(request, folder=folder, check_token=check) as form:
            self._gate.note(request, visit=visit, form=form.fields)
            given = form.files.get("file")
            try:
                if given is None:
                    raise Invalid("invalid_input", gettext("Choose a picture."))
                body = await asyncio.to_thread(given.path.read_bytes)
                image = await keep_image(
                    self._services.media, shop_id=visit.person.shop_id, partner_id=None, body=body
                )
            except Invalid as error:
                return await self._page(visit, failed="logo", error=error)
        await self._set_logo(visit, file_name(image))
        return redirect(f"{SETTINGS}?done=logo#logo")

    async def remove_logo(self, request: Request) -> Response:
        """Show the shop's name alone from now on."""
        visit, _ = await self._gate.require_form(request, right="shop.manage")
        await self._set_logo(visit, "")
        return redirect(f"{SETTINGS}?done=no_logo#logo")

    async def _set_logo(self, visit: Visit, logo: str) -> None:
        async with self._db.begin() as tx:
            await change_shop(tx, shop_id=visit.person.shop_id, now=self._clock.now(), logo=logo)

    async def _page(
        self,
        visit: Visit,
        *,
        done: str = "",
        failed: str = "",
        form: Form | None = None,
        error: CrossdockError | None = None,
    ) -> Response:
        async with self._db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=visit.person.shop_id)
            sender = await read_sender(tx, shop_id=visit.person.shop_id)
            is_alone = await has_one_shop(tx)
        typed: dict[str, Any] = dict(form or {})
        profile = {
            "name": shop.name,
            "country": shop.country,
            "languages": ", ".join(shop.languages),
            "time_zone": shop.time_zone,
            "product_url": shop.product_url,
        }
        parts = msgspec.structs.asdict(sender)
        return self._pages.page(
            "settings.html",
            visit=visit,
            status=422 if error else 200,
            shop=shop,
            seller=seller_of(shop),
            most_mb=self._services.media.reader.limits.bytes_max // 1_000_000,
            profile=typed if failed == "shop" else profile,
            sender=typed if failed == "sender" else {name: parts[name] for name in SENDER},
            sender_fields=SENDER,
            countries=countries_by_name(spoken()),
            zones=sorted(available_timezones()),
            told=self._tell_settings() if is_alone else [],
            done=done,
            failed=failed,
            error=why(error) if error else "",
        )
