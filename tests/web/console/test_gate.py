"""The guard that other pages use: a role that may not gets a page that says so."""

import re
from pathlib import Path

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from crossdock.db.runtime import Runtime
from crossdock.errors import Refused
from crossdock.gate import Gate, SignInNeeded
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.settings import Settings
from crossdock.shop.people import People, create_means
from crossdock.web.console import CONSOLE_TEMPLATES
from tests.support.factories import box


def request_of(path="/stock", *, method="GET", query=b"", cookie="", forwarded_for=""):
    headers = [(b"cookie", cookie.encode())] if cookie else []
    if forwarded_for:
        headers.append((b"x-forwarded-for", forwarded_for.encode()))
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "client": ("192.0.2.1", 40_000),
            "path": path,
            "query_string": query,
            "headers": headers,
        }
    )


@pytest.fixture
async def gate(server, server_database):
    """The same guard that the running server uses, over its database."""
    runtime = Runtime(settings=Settings(), clock=SystemClock(), database=server_database)
    people = People(create_means(runtime, box=box(), ids=RandomIds()))
    return Gate(people, clock=runtime.clock, public_url=runtime.settings.server.public_url)


async def test_a_page_left_open_does_not_keep_its_session(person, browser, server_database):
    noor = await person(role="manager")
    opened = await browser(noor)
    board = (await opened.get("/console/orders")).text
    assert """hx-headers='{"X-Crossdock-Poll": "yes"}' hx-trigger="every""" in board

    async def idle_min(change: str = "") -> int:
        async with server_database.statement() as tx:
            if change:
                await tx.run(f"{change} where principal_id = %s", (noor.id,))
            return int(
                await tx.value(
                    "select extract(minute from now() - seen_at) from sessions where principal_id = %s",
                    (noor.id,),
                )
            )

    assert await idle_min("update sessions set seen_at = seen_at - interval '10 minutes'") == 10
    polled = await opened.get("/console/orders", headers={"X-Crossdock-Poll": "yes"})
    assert polled.status_code == 200
    assert await idle_min() == 10
    assert (await opened.get("/console/orders")).status_code == 200
    assert await idle_min() == 0


async def test_a_proxy_that_is_not_trusted_is_told_of_once(gate):
    with capture_logs() as logs:
        assert gate.source(request_of()) == "192.0.2.1"
        assert logs == []
        for _ in range(3):
            asked = request_of(forwarded_for="203.0.113.9:5000")
            assert gate.source(asked) == "192.0.2.1"

    assert [(entry["log_level"], entry["address"]) for entry in logs] == [("warning", "192.0.2.1")]
    trusting = Gate(
        gate.people,
        clock=SystemClock(),
        public_url="http://127.0.0.1",
        trusted_proxies=["192.0.2.0/24"],
    )
    with capture_logs() as logs:
        assert trusting.source(request_of(forwarded_for="203.0.113.9:5000")) == "203.0.113.9"
    assert logs == []


async def test_nobody_is_led_to_sign_in_and_back(gate):
    with pytest.raises(SignInNeeded) as away:
        await gate.require_person(request_of(query=b"q=1"), right="stock.adjust")
    with pytest.raises(SignInNeeded) as from_form:
        await gate.require_form(request_of(method="POST"))

    assert away.value.address == "/console/sign-in?next=%2Fstock%3Fq%3D1"
    assert from_form.value.address == "/console/sign-in?next=%2Fconsole%2Faccount"


@pytest.mark.parametrize(("role", "is_listed"), [("warehouse", True), ("viewer", False)])
async def test_the_home_lists_the_pages_that_the_role_may_use(browser, person, role, is_listed):
    noor = await browser(await person(role=role))

    home = (await noor.get("/console/")).text
    form = await noor.get("/admin/shipper/add?ext=manual")

    assert ('href="/admin/shipper/add' in home) is is_listed
    assert form.status_code == (200 if is_listed else 403)


@pytest.mark.parametrize(
    ("role", "right", "is_let_in"),
    [
        ("owner", "people.manage", True),
        ("manager", "people.manage", False),
        ("manager", "partners.manage", True),
        ("warehouse", "partners.manage", False),
        ("warehouse", "labels.print", True),
        ("viewer", "labels.print", False),
        ("viewer", "orders.read", True),
        ("partner", "own_partner.read", True),
        ("partner", "orders.read", False),
        ("owner", "own_partner.read", False),
    ],
)
async def test_a_role_is_let_in_by_its_rights(gate, browser, person, role, right, is_let_in):
    noor = await browser(await person(role=role))
    request = request_of(cookie=f"crossdock={noor.cookie}")

    if is_let_in:
        visit = await gate.require_person(request, right=right)
        assert visit.person.role == role
    else:
        with pytest.raises(Refused) as refused:
            await gate.require_person(request, right=right)
        assert refused.value.code == "permission_denied"


def test_pages_link_to_guides_as_the_site_serves_them():
    links = [
        link
        for page in CONSOLE_TEMPLATES.rglob("*.html")
        for link in re.findall(r'href=\\?"/docs/([^"\\]+)', page.read_text())
        if "{{" not in link  # a channel's own guide, by its name
    ]
    assert links
    assert [link for link in links if not Path(f"docs/{link}.md").is_file()] == []
