"""The page that makes one label by hand, for people who are signed in (spec section 13)."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from crossdock.channels.contract import StaffPage
from crossdock.channels.plumbing import Pages
from crossdock.channels.shopwedo.label_form import (
    LANGUAGES,
    TEXT_MAX,
    LabelForm,
    countries,
    mistake_of,
    mistakes,
    of_order,
    prefilled,
    submitted,
    unknown_country,
)
from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, NotFound
from crossdock.gate import Gate, page_headers, read_form
from crossdock.kit.display import language_name
from crossdock.shop.acts import EVERY_FIELD
from crossdock.shop.orders import find_order_id, read_order
from crossdock.shop.people import Right, Visit
from crossdock.shop.warehouse import (
    Booking,
    ManualLabel,
    make_manual_label,
    read_manual_label,
)

PATHS = ("/admin/shipper/add", "/shipper/add")
LABEL_PATH = "/admin/shipper/label"
RIGHT: Right = "labels.print"
STAFF_PAGE = StaffPage(
    title="Print a label",
    description="Make a shipping label by hand, or from an order.",
    path=PATHS[0],
    right=RIGHT,
)
PAGE_HEADERS = page_headers()
Page = Callable[[Request], Awaitable[Response]]
_INSTANCE = re.compile(r"\{?[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_LANGUAGE_NAMES = {code: language_name(code) for code in LANGUAGES}


class LabelPages:
    """The form, the label that it makes, and the label's files."""

    def __init__(self, db: Database, *, booking: Booking, gate: Gate) -> None:
        self._db = db
        self._booking = booking
        self._gate = gate
        self._page = Pages(Path(__file__).parent / "templates", headers=PAGE_HEADERS).page

    async def form(self, request: Request) -> Response:
        """The form, filled from the link; missing fields are no error."""
        visit = await self._gate.admit(request, right=RIGHT)
        if isinstance(visit, Response):
            return visit
        fields, notice = await self._fields(request, visit)
        sought = request.query_params.get("order", "")[:TEXT_MAX]
        return self._form_page(visit, fields, notice=notice, sought=sought)

    async def submit(self, request: Request) -> Response:
        """Validate, make the label and redirect to it."""
        visit = await self._gate.admit(request, right=RIGHT)
        if isinstance(visit, Response):
            return visit
        sent = await read_form(request)
        self._gate.check_form(visit, form_token=sent.get("csrf_token", ""))
        noted = {name: value for name, value in sent.items() if name != "csrf_token"}
        self._gate.note(request, visit=visit, form=noted, personal=EVERY_FIELD)
        fields = submitted(sent)
        if wrong := mistakes(fields):
            return self._form_page(visit, fields, wrong=wrong, code=422)
        try:
            label = await make_manual_label(
                self._booking,
                shop_id=visit.person.shop_id,
                person_id=visit.person.id,
                address=fields.receiver(),
                reference=fields.trackingReference,
                language=fields.addressLanguage,
                weight_g=fields.weight_g,
                carrier_service=fields.parcelService,
            )
        except Invalid as error:
            if wrong := mistake_of(error):
                return self._form_page(visit, fields, wrong=wrong, code=422)
            raise
        return RedirectResponse(f"{LABEL_PATH}/{label.id}", status_code=303)

    async def show(self, request: Request) -> Response:
        """The page of a label, for printing."""
        found = await self._label(request)
        if isinstance(found, Response):
            return found
        visit, label = found
        return self._page("label_made.html", visit=visit, label=label, path=LABEL_PATH)

    async def pdf(self, request: Request) -> Response:
        """The label as PDF, inline."""
        found = await self._label(request)
        if isinstance(found, Response):
            return found
        consignment = found[1].consignment
        name = f"label-{consignment.tracking_number}.pdf"
        headers = {**PAGE_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
        return Response(consignment.label_pdf or b"", headers=headers, media_type="application/pdf")

    async def zpl(self, request: Request) -> Response:
        """The label for a label printer."""
        found = await self._label(request)
        if isinstance(found, Response):
            return found
        consignment = found[1].consignment
        name = f"label-{consignment.tracking_number}.zpl"
        headers = {**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(
            consignment.label_zpl or "", headers=headers, media_type="text/plain; charset=utf-8"
        )

    def guarded(self, page: Page) -> Page:
        """The page, with its errors rendered as pages too."""

        async def answer(request: Request) -> Response:
            try:
                return await page(request)
            except NotFound:
                return self._page("label_refused.html", code=404, text="This label does not exist.")
            except Invalid as error:
                return self._page("label_refused.html", code=400, text=error.message)
            except CrossdockError as error:
                if error.code != "permission_denied":
                    raise
                return self._page("label_refused.html", code=403, text=error.message)

        return answer

    async def _label(self, request: Request) -> tuple[Visit, ManualLabel] | Response:
        visit = await self._gate.admit(request, right=RIGHT)
        if isinstance(visit, Response):
            return visit
        label_id = request.path_params["label_id"]
        if not _NUMBER.fullmatch(label_id):
            raise NotFound("not_found")
        async with self._db.statement() as tx:
            label = await read_manual_label(
                tx, shop_id=visit.person.shop_id, label_id=int(label_id)
            )
        return visit, label

    async def _fields(self, request: Request, visit: Visit) -> tuple[LabelForm, str]:
        """The form's fields, from the query or from the order that it names."""
        query = dict(request.query_params)
        kind = query.get("ext", "manual")
        if kind not in {"order", "instance", "magento"}:
            return prefilled(query), unknown_country(query)
        number = query.get("order", "").strip()
        if kind == "instance" and not _INSTANCE.fullmatch(query.get("instance", "").upper()):
            return prefilled(query), "The link's instance is not valid."
        try:
            async with self._db.statement() as tx:
                order_id = await find_order_id(tx, shop_id=visit.person.shop_id, number=number)
                order = await read_order(
                    tx, shop_id=visit.person.shop_id, order_id=order_id, sections=()
                )
        except NotFound:
            return prefilled(query), f"There is no order {number[:60]} in this shop."
        return of_order(order), f"Filled from order {order.partner_order_id}."

    def _form_page(
        self,
        visit: Visit,
        fields: LabelForm,
        *,
        wrong: dict[str, str] | None = None,
        notice: str = "",
        sought: str = "",
        code: int = 200,
    ) -> Response:
        return self._page(
            "label_form.html",
            code=code,
            visit=visit,
            fields=fields,
            wrong=wrong or {},
            notice=notice,
            countries=countries(fields.addressCountry),
            languages=_LANGUAGE_NAMES,
            services=[(name, name) for name in self._booking.carriers.find("").services],
            sought=sought,
            action=PATHS[0],
        )
