"""The console's routes, home page and error pages."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid, NotFound, Unavailable
from crossdock.gate import ACCOUNT, HOME, SIGN_IN, Gate, SignInNeeded, StaffPage
from crossdock.kit.languages import chosen, gettext, speaking
from crossdock.settings import Told
from crossdock.shop.acts import begin_act, close_act
from crossdock.shop.partners import ChannelFacts
from crossdock.web.console.account import AccountPages
from crossdock.web.console.alerts import AlertPages
from crossdock.web.console.audit import AUDIT, AuditPages
from crossdock.web.console.board_address import VIEW_NAMES
from crossdock.web.console.customers import CUSTOMERS, CustomerPages
from crossdock.web.console.deliveries import DELIVERIES, DeliveryPages
from crossdock.web.console.endpoints import ENDPOINTS, EndpointPages
from crossdock.web.console.events import EVENTS, EventPages
from crossdock.web.console.imports import IMPORTS, ImportPages
from crossdock.web.console.mail import MAIL, MailPages
from crossdock.web.console.merchants import MerchantPages
from crossdock.web.console.money import MONEY, MoneyPages
from crossdock.web.console.order_bulk import BulkPages
from crossdock.web.console.order_lines import LinePages
from crossdock.web.console.order_money import OrderMoneyPages
from crossdock.web.console.order_papers import PaperPages
from crossdock.web.console.order_paths import ORDERS
from crossdock.web.console.order_runs import RunPages
from crossdock.web.console.order_work import WorkPages
from crossdock.web.console.orders import OrderPages
from crossdock.web.console.partner import PartnerPage
from crossdock.web.console.partner_desk import PartnerDesk
from crossdock.web.console.payouts import PAYOUTS, PayoutPages
from crossdock.web.console.people import PEOPLE, WELCOME, PeoplePages
from crossdock.web.console.product_editing import PICTURES, ProductEditing
from crossdock.web.console.product_grid import GridPages
from crossdock.web.console.products import PRODUCTS, STOCK, ProductPages
from crossdock.web.console.promotions import PromotionPages
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Handler, Pages, redirect
from crossdock.web.console.reselling import ResellerPages
from crossdock.web.console.reselling_money import ResellerMoney
from crossdock.web.console.saved_views import VIEWS, SavedViewPages, shelf, showing
from crossdock.web.console.search import SEARCH, SearchPage
from crossdock.web.console.search_desk import SEARCH_DESK, SearchDesk
from crossdock.web.console.serials import SerialPages
from crossdock.web.console.shop import SETTINGS, START, ShopPages
from crossdock.web.console.signing_in import SigningIn
from crossdock.web.console.staff_order import NEW, StaffOrderPages
from crossdock.web.console.tickets import TICKETS, TicketPages
from crossdock.web.console.welcome import WelcomePages
from crossdock.web.operations import TriedDoor

CONSOLE_TEMPLATES = Path(__file__).parent / "templates"


class Console:
    """Pages for signed-in people, and the sign-in and sign-out pages."""

    def __init__(
        self,
        gate: Gate,
        *,
        services: Services,
        templates: jinja2.Environment,
        staff_pages: Sequence[StaffPage] = (),
        channels: Sequence[str] = (),
        doors: Mapping[str, TriedDoor] | None = None,
        sends: ASGIApp,
        facts: Mapping[str, ChannelFacts] | None = None,
        tell_settings: Callable[[], list[Told]] = list,
        accept_url: Callable[[str], str] | None = None,
    ) -> None:
        db = services.runtime.database
        self._gate = gate
        self._db = db
        templates.globals["shelf"] = shelf
        self._pages = Pages(templates)
        self._views = SavedViewPages(gate, services=services)
        self._staff_pages = staff_pages
        self._signing_in = SigningIn(gate, self._pages)
        self._account = AccountPages(gate, self._pages)
        self._partner = PartnerPage(db, self._pages)
        self._search = SearchPage(gate, self._pages, services=services)
        self._alerts = AlertPages(gate, self._pages, db=db, clock=services.runtime.clock)
        self._mail = MailPages(gate, self._pages, services=services)
        self._tickets = TicketPages(gate, self._pages, services=services)
        self._search_desk = SearchDesk(gate, self._pages, services=services)
        self._money = MoneyPages(gate, self._pages, services=services)
        self._payouts = PayoutPages(gate, self._pages, services=services)
        self._resellers = ResellerPages(gate, self._pages, services=services, accept_url=accept_url)
        self._reseller_money = ResellerMoney(gate, self._pages, services=services)
        self._events = EventPages(gate, self._pages, services=services)
        self._endpoints = EndpointPages(gate, self._pages, services=services)
        self._imports = ImportPages(gate, self._pages, services=services)
        self._deliveries = DeliveryPages(gate, self._pages, services=services)
        self._partner_desk = PartnerDesk(
            gate,
            self._pages,
            services=services,
            facts=facts or {},
            doors=doors or {},
            sends=sends,
            rate_limit_per_minute=services.settings.partners.rate_limit_per_minute,
        )
        self._shop = ShopPages(gate, self._pages, services=services, tell_settings=tell_settings)
        self._customers = CustomerPages(gate, self._pages, services=services)
        self._people = PeoplePages(gate, self._pages, services=services)
        self._welcome = WelcomePages(gate, self._pages, services=services)
        self._audit = AuditPages(gate, self._pages, services=services)
        self._editing = ProductEditing(gate, self._pages, services=services)
        self._merchants = MerchantPages(gate, self._pages, services=services)
        self._grid = GridPages(gate, self._pages, services=services)
        self._promotions = PromotionPages(gate, self._pages, services=services)
        self._serials = SerialPages(gate, self._pages, services=services)
        self._products = ProductPages(gate, self._pages, services=services)
        self._orders = OrderPages(gate, self._pages, services=services, channels=channels)
        self._order_money = OrderMoneyPages(gate, self._pages, services=services)
        self._staff_order = StaffOrderPages(gate, self._pages, services=services)
        self._bulk = BulkPages(gate, self._pages, services=services)
        self._runs = RunPages(gate, self._pages, services=services)
        self._papers = PaperPages(gate, services=services)
        self._lines = LinePages(gate, self._pages, services=services)
        self._work = WorkPages(gate, self._pages, services=services)

    def routes(self) -> list[Route]:
        """All routes of the console."""
        entry, account, products = self._signing_in, self._account, self._products
        return [
            Route("/console", self.to_home),
            self._get(HOME, self.home),
            self._get(SIGN_IN, entry.show),
            self._post(SIGN_IN, entry.sign_in),
            self._get(f"{SIGN_IN}/code", entry.show_code),
            self._post(f"{SIGN_IN}/code", entry.enter_code),
            self._post("/console/sign-out", entry.sign_out),
            self._post(VIEWS, self._views.save),
            self._post(f"{VIEWS}/{{view}}/remove", self._views.remove),
            self._get(SEARCH, self._search.show),
            *self._alerts.routes(self._get, self._post),
            *self._order_routes(),
            self._get(PRODUCTS, products.browse),
            *self._grid.routes(self._get, self._post),
            self._post(PICTURES, self._editing.add_picture),
            self._get(f"{PRODUCTS}/{{product}}", products.show),
            self._get(f"{PRODUCTS}/{{product}}/edit", self._editing.show),
            self._post(f"{PRODUCTS}/{{product}}/edit", self._editing.save),
            self._post(f"{PRODUCTS}/{{product}}/pictures/remove", self._editing.remove_picture),
            self._post(f"{PRODUCTS}/{{product}}/listing", products.list_or_not),
            self._get(STOCK, products.low),
            self._get(f"{STOCK}/{{variant}}", products.stock),
            self._post(f"{STOCK}/{{variant}}/transfer", products.transfer),
            self._post(f"{STOCK}/{{variant}}/receive", products.receive),
            self._post(f"{STOCK}/{{variant}}/count", products.count),
            *self._promotions.routes(self._get, self._post),
            *self._serials.routes(self._get, self._post),
            *self._merchants.routes(self._get, self._post),
            *self._partner_desk.routes(self._get, self._post),
            *self._delivery_routes(),
            *self._import_routes(),
            *self._money_routes(),
            *self._reseller_routes(),
            *self._people_routes(),
            *self._customer_routes(),
            *self._shop_routes(),
            self._get(TICKETS, self._tickets.browse),
            self._get(f"{TICKETS}/{{ticket}}", self._tickets.show),
            self._post(f"{TICKETS}/{{ticket}}", self._tickets.act),
            self._get(MAIL, self._mail.browse),
            self._get(f"{MAIL}/{{mail}}", self._mail.show),
            self._get(ACCOUNT, account.show),
            self._post(f"{ACCOUNT}/password", account.change_password),
            self._post(f"{ACCOUNT}/language", account.set_language),
            self._get(f"{ACCOUNT}/two-step", account.offer_two_step),
            self._post(f"{ACCOUNT}/two-step", account.turn_on_two_step),
            self._post(f"{ACCOUNT}/two-step/off", account.turn_off_two_step),
            self._post(f"{ACCOUNT}/recovery-codes", account.new_codes),
        ]

    def _order_routes(self) -> list[Route]:
        orders, money, order = self._orders, self._order_money, f"{ORDERS}/{{order}}"
        return [
            self._get(ORDERS, orders.board),
            self._get(f"{ORDERS}.csv", orders.board_file),
            self._post(f"{ORDERS}/bulk", self._bulk.act),
            *self._runs.routes(self._get, self._post),
            self._get(f"{ORDERS}/pick-list.pdf", self._papers.pick_lists),
            self._get(NEW, self._staff_order.show),
            self._post(NEW, self._staff_order.act),
            self._get(order, orders.show),
            self._post(f"{order}/release", orders.release),
            self._post(f"{order}/send", orders.send),
            self._post(f"{order}/deliver", orders.deliver),
            self._post(f"{order}/pay", money.pay),
            self._get(f"{order}/cancel", money.ask_cancel),
            self._post(f"{order}/cancel", money.cancel),
            self._get(f"{order}/close", money.ask_close),
            self._post(f"{order}/close", money.close),
            self._get(f"{order}/refund", money.ask_refund),
            self._post(f"{order}/refund", money.refund),
            self._get(f"{order}/packages/{{package}}/label.pdf", orders.label),
            self._post(f"{order}/note", orders.note),
            self._post(f"{order}/resend", orders.resend),
            self._get(f"{order}/pick-list.pdf", self._papers.pick_list),
            self._get(f"{order}/packages/{{package}}/slip.pdf", self._papers.slip),
            *self._work_routes(f"{order}/work"),
            *self._line_routes(order),
        ]

    def _work_routes(self, here: str) -> list[Route]:
        work, package = self._work, f"{here}/packages/{{package}}"
        return [
            self._get(here, work.show),
            self._post(f"{here}/scan", work.scan),
            self._post(f"{here}/pick", work.pick),
            self._post(f"{here}/unpick", work.unpick),
            self._post(f"{here}/serials", work.serials),
            self._post(f"{here}/pack", work.pack),
            self._post(f"{package}/ship", work.ship),
            self._post(f"{package}/unpack", work.unpack),
        ]

    def _line_routes(self, order: str) -> list[Route]:
        pages, line = self._lines, f"{order}/lines/{{line}}"
        receive = f"{order}/returns/{{back}}/receive"
        return [
            self._get(line, pages.show),
            self._post(f"{line}/cancel", pages.cancel),
            self._post(f"{line}/refund", pages.refund),
            self._get(f"{order}/return", pages.ask_return),
            self._post(f"{order}/return", pages.register),
            self._get(receive, pages.ask_receive),
            self._post(receive, pages.receive),
        ]

    def _delivery_routes(self) -> list[Route]:
        pages, one = self._deliveries, f"{DELIVERIES}/{{delivery}}"
        return [
            self._get(DELIVERIES, pages.browse),
            self._post(DELIVERIES, pages.resend_all),
            self._get(one, pages.show),
            self._post(f"{one}/resend", pages.resend),
            self._post(f"{one}/withdraw", pages.withdraw),
            self._get(ENDPOINTS, self._endpoints.browse),
            self._post(ENDPOINTS, self._endpoints.switch),
            self._get(EVENTS, self._events.browse),
            self._get(f"{EVENTS}/{{event}}", self._events.show),
        ]

    def _money_routes(self) -> list[Route]:
        money, payouts = self._money, self._payouts
        return [
            self._get(SEARCH_DESK, self._search_desk.show),
            self._get(MONEY, money.overview),
            self._get(f"{MONEY}/accounts", money.accounts),
            self._get(f"{MONEY}/entries", money.entries),
            self._get(f"{MONEY}/payments", money.payments),
            self._get(PAYOUTS, payouts.browse),
            self._get(f"{PAYOUTS}/{{payout}}", payouts.show),
            self._post(f"{PAYOUTS}/{{payout}}", payouts.decide),
        ]

    def _reseller_routes(self) -> list[Route]:
        desks = (self._resellers, self._reseller_money)
        return [
            *(self._get(path, show) for desk in desks for path, show in desk.gets().items()),
            *(self._post(path, act) for desk in desks for path, act in desk.posts().items()),
        ]

    def _import_routes(self) -> list[Route]:
        pages, one = self._imports, f"{IMPORTS}/{{import}}"
        return [
            self._get(IMPORTS, pages.browse),
            self._post(IMPORTS, pages.upload),
            self._get(one, pages.show),
            self._post(f"{one}/check", pages.check),
            self._post(f"{one}/start", pages.start),
            self._get(f"{one}/refused.csv", pages.refused_rows),
        ]

    def _shop_routes(self) -> list[Route]:
        pages = self._shop
        return [
            self._get(START, pages.start),
            self._get(SETTINGS, pages.settings),
            self._post(f"{SETTINGS}/shop", pages.change),
            self._post(f"{SETTINGS}/sender", pages.change_sender),
            self._post(f"{SETTINGS}/logo", pages.change_logo),
            self._post(f"{SETTINGS}/logo/remove", pages.remove_logo),
        ]

    def _customer_routes(self) -> list[Route]:
        pages, one = self._customers, f"{CUSTOMERS}/{{customer}}"
        return [
            self._get(CUSTOMERS, pages.browse),
            self._get(f"{CUSTOMERS}/new", pages.ask_new),
            self._post(f"{CUSTOMERS}/new", pages.add),
            self._get(one, pages.show),
            self._post(one, pages.change),
            self._post(f"{one}/orders", pages.switch),
        ]

    def _people_routes(self) -> list[Route]:
        pages, one = self._people, f"{PEOPLE}/{{person}}"
        return [
            self._get(PEOPLE, pages.browse),
            self._get(f"{PEOPLE}/invite", pages.ask_invite),
            self._post(f"{PEOPLE}/invite", pages.invite),
            self._get(one, pages.show),
            self._post(f"{one}/role", pages.change_role),
            self._get(f"{one}/password", pages.ask_reset),
            self._post(f"{one}/password", pages.reset_password),
            self._get(f"{one}/second-step", pages.ask_reset),
            self._post(f"{one}/second-step", pages.reset_second_step),
            self._post(f"{one}/access", pages.switch),
            self._post(f"{one}/sessions", pages.end),
            self._get(AUDIT, self._audit.browse),
            self._get(f"{WELCOME}{{token}}", self._welcome.show),
            self._post(f"{WELCOME}{{token}}", self._welcome.choose),
        ]

    async def to_home(self, request: Request) -> Response:
        """Redirect /console to /console/."""
        return RedirectResponse(HOME, status_code=308)

    async def home(self, request: Request) -> Response:
        """The home page: the pages that the person may open; for a partner's people, their partner."""
        visit = await self._gate.require_person(request)
        if visit.person.principal == "partner":
            return await self._partner.show(visit)
        pages = [page for page in self._staff_pages if visit.person.may(page.right)]
        alerts = await self._alerts.count_open(visit) if visit.person.may("alerts.read") else None
        orders = await self._orders.count(visit) if visit.person.may("orders.read") else {}
        return self._pages.page(
            "home.html",
            visit=visit,
            pages=pages,
            alerts=alerts,
            orders=orders,
            views=VIEW_NAMES,
            state=await self._shop.state(visit),
        )

    def _get(self, path: str, handler: Handler) -> Route:
        return Route(path, self._guarded(handler), methods=["GET"])

    def _post(self, path: str, handler: Handler) -> Route:
        return Route(path, self._guarded(handler), methods=["POST"])

    def _guarded(self, handler: Handler) -> Handler:
        """Wrap a handler: render core errors as pages, and note what was done outside a transaction."""

        @wraps(handler)
        async def answer(request: Request) -> Response:
            with speaking(chosen(request.headers.get("accept-language", ""))):
                return await self._answer(handler, request)

        return answer

    async def _answer(self, handler: Handler, request: Request) -> Response:
        begin_act(None)
        try:
            with showing(await self._views.read(request)):
                answered = await handler(request)
            # Who did something is led on; a page that asks again, or shows what was found, did nothing.
            if 300 <= answered.status_code < 400:
                await close_act(self._db)
            return answered
        except SignInNeeded as needed:
            return redirect(needed.address)
        except Unavailable as error:
            wait = str(error.data.get("retry_after_s", 2))
            return self._pages.message(
                gettext("Please try again"),
                why(error),
                status=503,
                headers={"Retry-After": wait},
            )
        except CrossdockError as error:
            return await self._refusal(request, error)

    async def _refusal(self, request: Request, error: CrossdockError) -> Response:
        status, title = 409, gettext("That did not work")
        if error.code == "permission_denied":
            status, title = 403, gettext("Not allowed")
        elif isinstance(error, NotFound):
            status, title = 404, gettext("There is no such page")
        elif isinstance(error, Invalid):
            status = 400
        visit = await self._gate.visit(request)
        return self._pages.message(title, why(error), status=status, visit=visit)
