"""People of the shop: list, invite, roles, resets by an owner, sessions."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, language_for, lazy, ngettext
from crossdock.shop.acts import ActFilters, list_acts
from crossdock.shop.people import (
    LINK_DAYS,
    RIGHTS,
    STAFF_ROLES,
    NewLink,
    Person,
    Principal,
    Visit,
    add_person,
    browse_people,
    clear_totp,
    disable_person,
    enable_person,
    end_session,
    end_sessions,
    has_person_whole,
    list_sessions,
    make_password_link,
    read_person_of,
    rights_of,
    set_password_hash,
    set_role,
    take_person_of,
)
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.act_words import told
from crossdock.web.console.confirming import Effect, Question, ask, is_sure
from crossdock.web.console.paging import path_number
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

PEOPLE: Final = "/console/people"
WELCOME: Final = "/console/welcome/token/"
_KINDS: Final[dict[Principal, str]] = {
    "staff": lazy("Staff"),
    "partner": lazy("People of partners"),
    "reseller": lazy("Resellers"),
}
_DONE: Final = {
    "role": lazy("The new role applies from the next request on."),
    "second-step": lazy("Signing in asks for the password alone now."),
    "off": lazy("Signing in is refused from now on, and every session has ended."),
    "on": lazy("The person may sign in again."),
    "session": lazy("The session has ended."),
    "sessions": lazy("All sessions have ended."),
}
_LATELY: Final = 10


class PeoplePages:
    """The list of people, the invitation, and a person's page."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """The shop's people of one kind, by e-mail."""
        visit = await self._gate.require_person(request, right="people.manage")
        wanted = request.query_params.get("kind", "")
        kind: Principal = next((each for each in _KINDS if each == wanted), "staff")
        after = request.query_params.get("after", "").replace("\x00", "")[:254]
        async with self._db.statement() as tx:
            people, has_more = await browse_people(
                tx, shop_id=visit.person.shop_id, kind=kind, after=after
            )
        return self._pages.page(
            "people.html",
            visit=visit,
            people=people,
            kinds=_KINDS,
            kind=kind,
            is_first=not after,
            next_after=people[-1].email if has_more else "",
        )

    async def ask_invite(self, request: Request) -> Response:
        """The form for an invitation."""
        visit = await self._gate.require_person(request, right="people.manage")
        return self._invite_form(visit, form={"role": "viewer", "by_mail": "yes"})

    async def invite(self, request: Request) -> Response:
        """Add a member of staff, who chooses a password by a link; it is shown once, and mailed if asked."""
        visit, form = await self._gate.require_form(request, right="people.manage")
        hashed = await self._gate.people.unguessable_hash()
        try:
            async with self._db.begin() as tx:
                person = await add_person(
                    tx,
                    shop_id=visit.person.shop_id,
                    email=form.get("email", ""),
                    name=form.get("name", ""),
                    role=form.get("role", ""),
                    password_hash=hashed,
                    now=self._clock.now(),
                )
                link = await self._link(tx, visit, person, form=form, template="person_invitation")
        except CrossdockError as error:
            if error.code not in {"invalid_input", "exists"}:
                raise
            return self._invite_form(visit, form=form, error=error)
        return await self._page(visit, person, link=link, form=form)

    async def show(self, request: Request) -> Response:
        """A person: role and rights, sessions, what they did lately."""
        visit = await self._gate.require_person(request, right="people.manage")
        async with self._db.statement() as tx:
            person = await _person(tx, request, visit)
        return await self._page(
            visit, person, done=_DONE.get(request.query_params.get("done", ""), "")
        )

    async def change_role(self, request: Request) -> Response:
        """Give another role."""
        visit, form = await self._gate.require_form(request, right="people.manage")
        async with self._db.begin() as tx:
            person = await _person(tx, request, visit)
            await set_role(tx, person_id=person.id, role=form.get("role", ""))
        return _to(person, "role")

    async def ask_reset(self, request: Request) -> Response:
        """What a reset of the password, or of the second step, does, and the form that does it."""
        visit = await self._gate.require_person(request, right="people.manage")
        async with self._db.statement() as tx:
            person = await _taken(tx, request, visit)
        what = "second-step" if request.url.path.endswith("/second-step") else "password"
        return self._pages.page(
            "person_reset.html",
            visit=visit,
            who=person,
            what=what,
            sends_mail=self._services.mailer is not None,
            days=LINK_DAYS,
        )

    async def reset_password(self, request: Request) -> Response:
        """End the password and all sessions; the person chooses another by a link."""
        visit, form = await self._gate.require_form(request, right="people.manage")
        hashed = await self._gate.people.unguessable_hash()
        async with self._db.begin() as tx:
            person = await _taken(tx, request, visit)
            await set_password_hash(tx, person_id=person.id, password_hash=hashed)
            link = await self._link(tx, visit, person, form=form, template="password_reset")
        return await self._page(visit, person, link=link, form=form)

    async def reset_second_step(self, request: Request) -> Response:
        """Turn the second step off, for somebody who lost phone and recovery codes."""
        visit, _form = await self._gate.require_form(request, right="people.manage")
        async with self._db.begin() as tx:
            person = await _taken(tx, request, visit)
            await clear_totp(tx, person_id=person.id)
        return _to(person, "second-step")

    async def switch(self, request: Request) -> Response:
        """Refuse a person's sign-in, or allow it again."""
        visit, form = await self._gate.require_form(request, right="people.manage")
        is_on = form.get("on") == "yes"
        async with self._db.begin() as tx:
            person = await _taken(tx, request, visit)
            change = enable_person if is_on else disable_person
            await change(tx, person_id=person.id)
        return _to(person, "on" if is_on else "off")

    async def end(self, request: Request) -> Response:
        """End one session of the person, or all."""
        visit, form = await self._gate.require_form(request, right="people.manage")
        if not is_sure(form):
            return await self._ask_end(request, visit, form)
        async with self._db.begin() as tx:
            person = await _taken(tx, request, visit)
            if name := form.get("session", ""):
                await end_session(tx, person_id=person.id, name=name)
            else:
                await end_sessions(tx, person_id=person.id)
        return _to(person, "session" if form.get("session") else "sessions")

    async def _ask_end(self, request: Request, visit: Visit, form: Form) -> Response:
        async with self._db.statement() as tx:
            person = await _taken(tx, request, visit)
            sessions = await list_sessions(
                tx, person_id=person.id, lives=self._gate.people.lives, now=self._clock.now()
            )
        chosen = [each for each in sessions if form.get("session", "") in {"", each.name}]
        text = ngettext("One session ends at once.", "%(num)s sessions end at once.", len(chosen))
        question = Question(
            title=gettext("End sessions of %(name)s?") % {"name": person.label},
            effects=[
                Effect(gettext("Sessions"), text % {"num": len(chosen)}),
                Effect(
                    gettext("Access"),
                    gettext(
                        "The password works as before: to keep somebody out, refuse the sign-in as well."
                    ),
                ),
            ],
            button=gettext("End now"),
            back=f"{PEOPLE}/{person.id}",
            here="people",
        )
        return ask(self._pages, request, visit=visit, form=form, question=question)

    async def _link(
        self, tx: Transaction, visit: Visit, person: Person, *, form: Form, template: str
    ) -> NewLink:
        now = self._clock.now()
        link = await make_password_link(tx, person_id=person.id, ids=self._services.ids, now=now)
        if form.get("by_mail") == "yes":
            shop = await read_shop_by_id(tx, shop_id=person.shop_id)
            await self._services.mailing.queue_mail(
                tx,
                shop_id=person.shop_id,
                template="password_reset" if template == "password_reset" else "person_invitation",
                to=person.email,
                values={
                    "shop": shop.name,
                    "by": visit.person.label,
                    "url": self._address(link),
                    "expires_at": link.expires_at,
                },
                language=language_for(named=person.language, of_shop=shop.languages),
                key=f"password link {person.id} {link.expires_at.isoformat()}",
                now=now,
            )
        return link

    def _address(self, link: NewLink) -> str:
        return f"{self._services.settings.server.public_url.rstrip('/')}{WELCOME}{link.token}"

    def _invite_form(
        self, visit: Visit, *, form: Form, error: CrossdockError | None = None
    ) -> Response:
        return self._pages.page(
            "person_invite.html",
            visit=visit,
            status=422 if error else 200,
            form=form,
            error=why(error) if error else "",
            roles=_roles(),
            sends_mail=self._services.mailer is not None,
            days=LINK_DAYS,
        )

    async def _page(
        self,
        visit: Visit,
        person: Person,
        *,
        done: str = "",
        link: NewLink | None = None,
        form: Form | None = None,
    ) -> Response:
        async with self._db.statement() as tx:
            sessions = await list_sessions(
                tx, person_id=person.id, lives=self._gate.people.lives, now=self._clock.now()
            )
            acts, _more = await list_acts(
                tx,
                shop_id=visit.person.shop_id,
                filters=ActFilters(actor=person.email),
                limit=_LATELY,
            )
            is_whole = await has_person_whole(tx, shop_id=visit.person.shop_id, person_id=person.id)
        return self._pages.page(
            "person.html",
            visit=visit,
            who=person,
            done=done,
            sessions=sessions,
            is_whole=is_whole,
            acts=[told(act) for act in acts],
            roles=_roles(),
            link=self._address(link) if link else "",
            is_mailed=bool(
                self._services.mailer is not None and form and form.get("by_mail") == "yes"
            ),
            sends_mail=self._services.mailer is not None,
            days=LINK_DAYS,
        )


def _roles() -> Mapping[str, list[str]]:
    """The roles of staff with their rights."""
    return {role: [right for right in RIGHTS if right in rights_of(role)] for role in STAFF_ROLES}


async def _person(tx: Transaction, request: Request, visit: Visit) -> Person:
    person_id = path_number(request, "person")
    return await read_person_of(tx, shop_id=visit.person.shop_id, person_id=person_id)


async def _taken(tx: Transaction, request: Request, visit: Visit) -> Person:
    """The person, whose way of signing in this shop may change."""
    person_id = path_number(request, "person")
    return await take_person_of(tx, shop_id=visit.person.shop_id, person_id=person_id)


def _to(person: Person, done: str) -> Response:
    return redirect(f"{PEOPLE}/{person.id}?done={done}")
