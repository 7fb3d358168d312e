"""The reseller programme: its settings, invitations, and the relationships."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.paging import PlacePage
from crossdock.shop.people import Visit
from crossdock.shop.resellers import (
    ACTIONS,
    EXPIRES_DAYS,
    EXPIRES_DAYS_MAX,
    Mode,
    Reseller,
    SaleFilter,
    Status,
    change_program,
    change_terms,
    invite_again,
    invite_by_mail,
    list_campaigns,
    list_claims,
    list_invitations,
    list_resellers,
    list_sales,
    move_reseller,
    read_balance,
    read_buckets,
    read_program,
    read_reseller,
    withdraw_invitation,
)
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, place_text, read_place
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect
from crossdock.web.console.reselling_forms import (
    program_changes,
    program_form,
    read_terms,
    terms_form,
    whole,
)

RESELLERS: Final = "/console/resellers"
INVITATIONS: Final = f"{RESELLERS}/invitations"
PROGRAM: Final = f"{RESELLERS}/program"
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
RIGHT: Final = "partners.manage"
_SHOWN: Final = 10
_EMAIL_MAX: Final = 254
_REFUSED: Final = {"invalid_input", "exists", "not_found", "program_disabled"}
_DONE: Final = {
    "program": lazy("The settings are saved. They apply to what is sold and bought from now on."),
    "invited": lazy("The invitation is on its way by mail."),
    "again": lazy(
        "A new invitation is on its way by mail. The link of the old one no longer works."
    ),
    "withdrawn": lazy("The invitation is withdrawn; its link no longer works."),
    "terms": lazy("The terms are saved. They apply to what is sold and bought from now on."),
    "approve": lazy("The reseller is approved: its keys and its portal work."),
    "suspend": lazy("The reseller is suspended: its keys are refused until it is active again."),
    "reactivate": lazy("The reseller is active again."),
    "terminate": lazy("The relationship has ended. Its balance and its history stay."),
}


class ResellerPages:
    """The lists of relationships and invitations, the programme's settings, and one relationship."""

    def __init__(
        self,
        gate: Gate,
        pages: Pages,
        *,
        services: Services,
        accept_url: Callable[[str], str] | None,
    ) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._accept_url = accept_url
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def gets(self) -> Mapping[str, Callable[[Request], Awaitable[Response]]]:
        """The pages by path; literal ones before those with a name in them."""
        one = f"{RESELLERS}/{{reseller}}"
        return {
            RESELLERS: self.browse,
            PROGRAM: self.program,
            INVITATIONS: self.invitations,
            f"{RESELLERS}/invite": self.ask_invite,
            one: self.show,
            f"{one}/terms": self.ask_terms,
            f"{one}/terminate": self.ask_end,
        }

    def posts(self) -> Mapping[str, Callable[[Request], Awaitable[Response]]]:
        """What changes something, by path."""
        invitation, one = f"{INVITATIONS}/{{invitation}}", f"{RESELLERS}/{{reseller}}"
        return {
            PROGRAM: self.change_program,
            f"{RESELLERS}/invite": self.invite,
            f"{invitation}/again": self.invite_again,
            f"{invitation}/withdraw": self.withdraw,
            f"{one}/terms": self.change_terms,
            f"{one}/status": self.move,
        }

    async def browse(self, request: Request) -> Response:
        """Relationships of every status or one, or those of an address, the newest first."""
        visit = await self._gate.require_person(request, right=RIGHT)
        values = request.query_params
        status = next((each for each in STATUSES if each == values.get("status")), None)
        email = values.get("q", "").replace("\x00", "").strip()[:_EMAIL_MAX]
        page = PlacePage(size=PAGE_SIZE, after=read_place(values))
        async with self._db.statement() as tx:
            found = await list_resellers(
                tx,
                shop_id=visit.person.shop_id,
                page=page,
                status=status,
                email=email or None,
            )
            program = await read_program(tx, shop_id=visit.person.shop_id)
        resellers, has_more = page.cut(found)
        older = place_text((resellers[-1].created_at, resellers[-1].id)) if has_more else None
        return self._pages.page(
            "resellers.html",
            visit=visit,
            resellers=resellers,
            program=program,
            statuses=STATUSES,
            chosen=status or "",
            search=email,
            paging=paging(request, older=older),
        )

    async def program(self, request: Request) -> Response:
        """The programme's settings."""
        visit = await self._gate.require_person(request, right=RIGHT)
        return await self._program_form(visit, done=request.query_params.get("done", ""))

    async def change_program(self, request: Request) -> Response:
        """Change the settings."""
        visit, form = await self._gate.require_form(request, right=RIGHT)
        shop_id = visit.person.shop_id
        try:
            async with self._db.begin() as tx:
                currency = (await read_shop_by_id(tx, shop_id=shop_id)).currency
                changes = program_changes(form, currency=currency)
                await change_program(tx, shop_id=shop_id, changes=changes, now=self._clock.now())
        except Invalid as error:
            return await self._program_form(visit, form=form, error=error)
        return redirect(f"{PROGRAM}?done=program")

    async def invitations(self, request: Request) -> Response:
        """Every invitation with its state, the newest first."""
        visit = await self._gate.require_person(request, right=RIGHT)
        page = PlacePage(size=PAGE_SIZE, after=read_place(request.query_params))
        async with self._db.statement() as tx:
            found = await list_invitations(tx, shop_id=visit.person.shop_id, page=page)
            program = await read_program(tx, shop_id=visit.person.shop_id)
        invitations, has_more = page.cut(found)
        older = place_text((invitations[-1].created_at, invitations[-1].id)) if has_more else None
        return self._pages.page(
            "reseller_invitations.html",
            visit=visit,
            invitations=invitations,
            program=program,
            now=self._clock.now(),
            done=_DONE.get(request.query_params.get("done", ""), ""),
            paging=paging(request, older=older),
        )

    async def ask_invite(self, request: Request) -> Response:
        """The form that invites somebody."""
        visit = await self._gate.require_person(request, right=RIGHT)
        return await self._invite_form(visit, form={"days": str(EXPIRES_DAYS)})

    async def invite(self, request: Request) -> Response:
        """Invite somebody by mail."""
        visit, form = await self._gate.require_form(request, right=RIGHT)
        services, shop_id = self._services, visit.person.shop_id
        try:
            async with self._db.begin() as tx:
                await invite_by_mail(
                    tx,
                    shop_id=shop_id,
                    email=form.get("email", ""),
                    terms=read_terms(form),
                    accept_url=self._require_url(),
                    mailing=services.mailing,
                    ids=services.ids,
                    now=self._clock.now(),
                    expires_in_days=whole(form, "days") or 0,
                )
        except CrossdockError as error:
            if error.code not in _REFUSED:
                raise
            return await self._invite_form(visit, form=form, error=error)
        return redirect(f"{INVITATIONS}?done=invited")

    async def invite_again(self, request: Request) -> Response:
        """Send an invitation again, with a new link."""
        visit, _ = await self._gate.require_form(request, right=RIGHT)
        services = self._services
        async with self._db.begin() as tx:
            await invite_again(
                tx,
                shop_id=visit.person.shop_id,
                invitation_id=path_number(request, "invitation"),
                accept_url=self._require_url(),
                mailing=services.mailing,
                ids=services.ids,
                now=self._clock.now(),
            )
        return redirect(f"{INVITATIONS}?done=again")

    async def withdraw(self, request: Request) -> Response:
        """Withdraw an invitation."""
        visit, _ = await self._gate.require_form(request, right=RIGHT)
        async with self._db.begin() as tx:
            await withdraw_invitation(
                tx,
                shop_id=visit.person.shop_id,
                invitation_id=path_number(request, "invitation"),
                now=self._clock.now(),
            )
        return redirect(f"{INVITATIONS}?done=withdrawn")

    async def show(self, request: Request) -> Response:
        """A relationship: its terms, what it has, what it sold last, and what can be done."""
        visit = await self._gate.require_person(request, right=RIGHT)
        shop_id, page = visit.person.shop_id, PlacePage(size=_SHOWN)
        async with self._db.statement() as tx:
            reseller = await self._read(tx, request, visit)
            number = reseller.id
            program = await read_program(tx, shop_id=shop_id)
            balance = await read_balance(tx, shop_id=shop_id, reseller_id=number)
            buckets = await read_buckets(tx, shop_id=shop_id, reseller_id=number)
            sales = await list_sales(
                tx, shop_id=shop_id, reseller_id=number, page=page, chosen=SaleFilter()
            )
            campaigns = await list_campaigns(tx, shop_id=shop_id, reseller_id=number, page=page)
            payouts = await list_claims(tx, shop_id=shop_id, reseller_id=number, page=page)
        return self._pages.page(
            "reseller.html",
            visit=visit,
            reseller=reseller,
            program=program,
            balance=balance,
            buckets=buckets,
            sales=sales[:_SHOWN],
            campaigns=campaigns[:_SHOWN],
            payouts=payouts[:_SHOWN],
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def ask_terms(self, request: Request) -> Response:
        """The form with the present terms."""
        visit = await self._gate.require_person(request, right=RIGHT)
        async with self._db.statement() as tx:
            reseller = await self._read(tx, request, visit)
        return await self._terms_form(visit, reseller=reseller, form=terms_form(reseller))

    async def change_terms(self, request: Request) -> Response:
        """Change the terms."""
        visit, form = await self._gate.require_form(request, right=RIGHT)
        async with self._db.statement() as tx:
            reseller = await self._read(tx, request, visit)
        try:
            async with self._db.begin() as tx:
                await change_terms(
                    tx,
                    shop_id=reseller.shop_id,
                    reseller_id=reseller.id,
                    terms=read_terms(form),
                    now=self._clock.now(),
                )
        except Invalid as error:
            return await self._terms_form(visit, reseller=reseller, form=form, error=error)
        return redirect(f"{RESELLERS}/{reseller.id}?done=terms")

    async def ask_end(self, request: Request) -> Response:
        """What ending the relationship does, before it is done."""
        visit = await self._gate.require_person(request, right=RIGHT)
        async with self._db.statement() as tx:
            reseller = await self._read(tx, request, visit)
            shop_id, number = reseller.shop_id, reseller.id
            balance = await read_balance(tx, shop_id=shop_id, reseller_id=number)
            buckets = await read_buckets(tx, shop_id=shop_id, reseller_id=number)
        return self._pages.page(
            "reseller_end.html", visit=visit, reseller=reseller, balance=balance, buckets=buckets
        )

    async def move(self, request: Request) -> Response:
        """Approve, suspend, reactivate, or end for ever, which asks to be confirmed."""
        visit, form = await self._gate.require_form(request, right=RIGHT)
        number = path_number(request, "reseller")
        action = next((each for each in ACTIONS if each == form.get("action")), None)
        if action is None:
            raise Invalid("invalid_input", gettext("The form names no action."))
        if action == "terminate" and form.get("sure") != "on":
            raise Invalid("invalid_input", gettext("Confirm that it ends; this cannot be undone."))
        async with self._db.begin() as tx:
            await move_reseller(
                tx,
                shop_id=visit.person.shop_id,
                reseller_id=number,
                action=action,
                now=self._clock.now(),
            )
        return redirect(f"{RESELLERS}/{number}?done={action}")

    async def _read(self, tx: Transaction, request: Request, visit: Visit) -> Reseller:
        return await read_reseller(
            tx, shop_id=visit.person.shop_id, reseller_id=path_number(request, "reseller")
        )

    def _require_url(self) -> Callable[[str], str]:
        if self._accept_url is None:
            raise Invalid(
                "invalid_input",
                gettext("This server has no channel on which resellers accept invitations."),
            )
        return self._accept_url

    async def _program_form(
        self,
        visit: Visit,
        *,
        form: Form | None = None,
        error: Invalid | None = None,
        done: str = "",
    ) -> Response:
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            program = await read_program(tx, shop_id=shop_id)
            currency = (await read_shop_by_id(tx, shop_id=shop_id)).currency
        return self._pages.page(
            "reseller_program.html",
            visit=visit,
            status=422 if error else 200,
            form=form or program_form(program, currency=currency),
            modes=MODES,
            currency=currency,
            error=why(error) if error else "",
            done=_DONE.get(done, ""),
        )

    async def _invite_form(
        self, visit: Visit, *, form: Form, error: CrossdockError | None = None
    ) -> Response:
        async with self._db.statement() as tx:
            program = await read_program(tx, shop_id=visit.person.shop_id)
        return self._pages.page(
            "reseller_terms.html",
            visit=visit,
            status=422 if error else 200,
            reseller=None,
            program=program,
            form=form,
            modes=MODES,
            days_max=EXPIRES_DAYS_MAX,
            error=why(error) if error else "",
        )

    async def _terms_form(
        self, visit: Visit, *, reseller: Reseller, form: Form, error: Invalid | None = None
    ) -> Response:
        async with self._db.statement() as tx:
            program = await read_program(tx, shop_id=reseller.shop_id)
        return self._pages.page(
            "reseller_terms.html",
            visit=visit,
            status=422 if error else 200,
            reseller=reseller,
            program=program,
            form=form,
            modes=MODES,
            days_max=EXPIRES_DAYS_MAX,
            error=why(error) if error else "",
        )
