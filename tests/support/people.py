"""People for tests, and a browser of the plainest kind: cookies, forms, no scripts."""

import re
from datetime import timedelta
from functools import lru_cache
from html import unescape
from typing import Any, Self
from urllib.parse import quote

import httpx2
import msgspec
import pyotp
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.people import Person, add_person
from crossdock.shop.people.factors import replace_recovery_codes, set_totp
from crossdock.shop.people.sessions import Lifetimes, open_session
from tests.support.factories import box, make_partner, make_shop, moment

PASSWORD = "quiet harbour, nine boats"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LIVES = Lifetimes(idle=timedelta(hours=1), longest=timedelta(hours=12))


class PersonFixture(msgspec.Struct, frozen=True):
    """A person who signs in with PASSWORD."""

    person: Person
    recovery_codes: tuple[str, ...] = ()

    @property
    def id(self) -> int:
        return self.person.id

    @property
    def email(self) -> str:
        return self.person.email


@lru_cache(maxsize=1)
def password_hash() -> str:
    """The hash of PASSWORD, made once per run."""
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash(PASSWORD)


async def make_person(
    tx: Transaction,
    *,
    role: str = "manager",
    shop_id: int = 0,
    email: str = "",
    name: str = "Noor",
    with_totp: bool = False,
    hashed: str = "",
    partner_id: int | None = None,
) -> PersonFixture:
    """Somebody of a fresh shop, or this one; with TOTP_SECRET and ten recovery codes if asked.

    In the role `partner` they are of the partner that is given, or of a fresh one.
    """
    shop = None if shop_id else await make_shop(tx)
    if role == "partner" and partner_id is None:
        assert shop is not None
        partner_id = (await make_partner(tx, shop=shop)).id
    person = await add_person(
        tx,
        shop_id=shop.id if shop else shop_id,
        partner_id=partner_id,
        email=email or f"noor-{RandomIds().random_token(8).lower()}@shop.example",
        name=name,
        role=role,
        password_hash=hashed or password_hash(),
        now=moment("2026-03-02T12:00:00+00:00"),
    )
    if not with_totp:
        return PersonFixture(person)
    await set_totp(tx, person_id=person.id, secret=TOTP_SECRET, step=0, box=box())
    codes = await replace_recovery_codes(tx, person_id=person.id, ids=RandomIds())
    return PersonFixture(person, codes)


async def open_session_of(tx: Transaction, who: PersonFixture) -> str:
    """The token of a session, as after signing in, whose password takes a tenth of a second to check."""
    return await open_session(
        tx, principal=who.person.principal, person_id=who.id, is_complete=True, lives=LIVES,
        ids=RandomIds(), now=SystemClock().now(),
    )  # fmt: skip


def code_at(timestamp: float, *, secret: str = TOTP_SECRET) -> str:
    """What the authenticator app shows at that moment."""
    return str(pyotp.TOTP(secret).at(int(timestamp)))


class PlainBrowser:
    """Follows no redirect by itself, keeps cookies, sends forms as their pages give them."""

    def __init__(self, url: str, *, source: str = "203.0.113.7") -> None:
        self.client = httpx2.AsyncClient(
            base_url=url,
            headers={"X-Forwarded-For": source, "Accept": "text/html"},
            timeout=30,
            verify=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def get(self, path: str, **options: Any) -> httpx2.Response:
        return await self.client.get(path, **options)

    async def post(self, path: str, fields: dict[str, str], **options: Any) -> httpx2.Response:
        """Send a form as it stands, without a token of ours."""
        return await self.client.post(path, data=fields, **options)

    async def submit(
        self, page: str, fields: dict[str, str], *, to: str = "", **options: Any
    ) -> httpx2.Response:
        """Open a page, then send a form with its hidden fields to it, or to another path."""
        opened = await self.get(page)
        assert opened.status_code == 200, opened.text
        path = to or page.partition("?")[0]
        return await self.post(path, {**hidden_fields(opened.text), **fields}, **options)

    async def submit_surely(
        self, page: str, fields: dict[str, str], *, to: str = ""
    ) -> httpx2.Response:
        """Send a form, and on the page that then asks, press the button."""
        asked = await self.submit(page, fields, to=to)
        if asked.status_code != 200:
            return asked
        action = re.search(r'<form class="panel" method="post" action="([^"]+)"', asked.text)
        assert action is not None
        return await self.post(unescape(action[1]), hidden_fields(asked.text))

    async def sign_in(
        self, email: str, *, password: str = PASSWORD, wanted: str = ""
    ) -> httpx2.Response:
        """The first step."""
        page = f"/console/sign-in?next={quote(wanted, safe='')}" if wanted else "/console/sign-in"
        return await self.submit(page, {"email": email, "password": password})

    async def hold_session(self, tx: Transaction, who: PersonFixture) -> None:
        """Be signed in as somebody without the form."""
        token = await open_session_of(tx, who)
        self.client.cookies.set("crossdock", token, domain=self.client.base_url.host)

    @property
    def cookie(self) -> str:
        """The session's token as this browser holds it."""
        return self.client.cookies.get("crossdock") or ""


def hidden_fields(html: str) -> dict[str, str]:
    """Every hidden field of a page by its name."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in fields}
