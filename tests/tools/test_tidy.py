"""Each law lets a good sample pass and finds the bad one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tools import tidy
from tools.laws import Finding, Tree, code, fail_points, layout, parts, texts, words

LawFunction = Callable[[Tree], Iterator[Finding]]
CHANNEL = "src/crossdock/channels/shoppex_partner"
CHANNEL_FILES = {f"{CHANNEL}/{name}": "" for name in layout.CHANNEL_FILES}
VERSIONS = "src/crossdock/db/migrations/versions"


@dataclass(frozen=True)
class Sample:
    """Files that keep a law, files that break it, and where it is broken."""

    law: LawFunction
    good: dict[str, str]
    bad: dict[str, str]
    found: tuple[tuple[str, int], ...]


def at(path: str, line: int = 1) -> tuple[tuple[str, int], ...]:
    return ((path, line),)


SHOP = "src/crossdock/shop/orders/placing.py"
STOCK_SQL = "src/crossdock/shop/stock/posting.sql"
ORDERS_SQL = "src/crossdock/shop/orders/placing.sql"
TABLES = {
    f"{VERSIONS}/2026-02-01-0900_all/30_stock.sql": "create table holds (\n);\n",
    f"{VERSIONS}/2026-02-01-0900_all/35_orders.sql": "create table orders (\n);\n",
}
KIT = "src/crossdock/kit/clock.py"


def sql_function(name: str, *lines: str) -> str:
    """A function with these statements; the first of them is on the third line."""
    head = f"create or replace function {name}(p_id bigint) returns void language plpgsql as $$"
    return "\n".join([head, "begin", *lines, "end $$;", ""])


ONE, TWO = "insert into a values (1);", "update b x set c = 'insert into a';"
POINT = "assert fail_point('step');"

SAMPLES = [
    Sample(
        code.files_are_short,
        good={SHOP: "x = 1\n" * 400, f"{VERSIONS}/a.sql": "select 1;\n" * 900},
        bad={SHOP: "x = 1\n" * 401},
        found=at(SHOP),
    ),
    Sample(
        code.functions_are_short,
        good={SHOP: "def place():\n" + "    x = 1\n" * 69},
        bad={SHOP: "\nasync def place():\n" + "    x = 1\n" * 70},
        found=at(SHOP, 2),
    ),
    Sample(
        code.names_say_something,
        good={SHOP: "class ContextManagement: ...\ndef commonly_bought(): ...\n"},
        bad={SHOP: "class StockManager: ...\n", "src/crossdock/shop/order_utils.py": ""},
        found=((SHOP, 1), ("src/crossdock/shop/order_utils.py", 1)),
    ),
    Sample(
        code.clock_and_chance_come_through_kit,
        good={
            SHOP: "import time\nstarted = time.monotonic()\nnow = clock.now()\n",
            KIT: "from datetime import datetime, UTC\nnow = datetime.now(UTC)\n",
            "tests/shop/test_x.py": "import random\nrandom.random()\n",
        },
        bad={
            SHOP: (
                "import datetime, random, uuid\n"
                "datetime.datetime.now()\n"
                "uuid.uuid4()\n"
                "random.choice([])\n"
                "from time import time\n"
                "from secrets import token_hex\n"
            )
        },
        found=tuple((SHOP, line) for line in (2, 3, 4, 5, 6)),
    ),
    Sample(
        code.only_the_unit_of_work_commits,
        good={"src/crossdock/db/unit_of_work.py": "await connection.commit()\n"},
        bad={SHOP: "await tx.connection.commit()\n"},
        found=at(SHOP),
    ),
    Sample(
        code.the_core_has_no_floats,
        good={
            "src/crossdock/channels/x/wire.py": "price = float(amount_minor) / 100\n",
            SHOP: "x = 1\n",
        },
        bad={SHOP: "def total() -> float: ...\nx = float(1)\n"},
        found=((SHOP, 1), (SHOP, 2)),
    ),
    Sample(
        code.nothing_is_left_open,
        good={SHOP: "# There is much to do.\ntry: ...\nexcept NotImplementedError: ...\n"},
        bad={SHOP: "x = 1  # TO" + "DO: y\nraise NotImplementedError\n"},
        found=((SHOP, 1), (SHOP, 2)),
    ),
    Sample(
        code.sql_is_made_of_constants,
        good={SHOP: "f'select {_COLUMNS} from orders where id = %s'\nf'the {name} of orders'\n"},
        bad={SHOP: "f\"select * from orders where name = '{name}'\"\n"},
        found=at(SHOP),
    ),
    Sample(
        code.core_functions_take_keywords,
        good={SHOP: "async def place(tx, *, order): ...\ndef total(order, lines): ...\n"},
        bad={SHOP: "async def place(tx, order): ...\n"},
        found=at(SHOP),
    ),
    Sample(
        code.the_core_takes_sections,
        good={
            SHOP: "from crossdock.settings import PeopleSection\n",
            f"{CHANNEL}/building.py": "from crossdock.settings import Settings\n",
        },
        bad={SHOP: "from crossdock.settings import PeopleSection, Settings\n"},
        found=at(SHOP),
    ),
    Sample(
        code.doors_hold_no_sql,
        good={f"{CHANNEL}/app.py": "await orders.place(tx, order=order)\n"},
        bad={f"{CHANNEL}/app.py": "await tx.one('select 1')\n", f"{CHANNEL}/x.sql": ""},
        found=((f"{CHANNEL}/x.sql", 1), (f"{CHANNEL}/app.py", 1)),
    ),
    Sample(
        code.parts_are_used_by_their_names,
        good={
            SHOP: "from crossdock.shop.orders.records import Order\nfrom crossdock.shop import stock\n",
            f"{CHANNEL}/app.py": "from crossdock.shop.orders import place\n",
        },
        bad={SHOP: "from crossdock.shop.stock.holding import hold\n"},
        found=at(SHOP),
    ),
    Sample(
        code.migrations_wait_briefly,
        good={
            f"{VERSIONS}/2026-01-31-0900_labels.sql": "set local lock_timeout = '3s';\nselect 1;\n",
            f"{VERSIONS}/2026-02-01-0900_all.py": "run_sql(\"set local lock_timeout = '3s'\")\n",
            f"{VERSIONS}/2026-02-01-0900_all/10_labels.sql": "select 1;\n",
        },
        bad={f"{VERSIONS}/labels.sql": "alter table labels add x int;\n"},
        found=((f"{VERSIONS}/labels.sql", 1), (f"{VERSIONS}/labels.sql", 1)),
    ),
    *[
        Sample(
            fail_points.a_fail_point_is_between_two_writes,
            good={STOCK_SQL: sql_function("post", *good)},
            bad={STOCK_SQL: sql_function("post", *bad)},
            found=at(STOCK_SQL, line),
        )
        for good, bad, line in (
            ((ONE, POINT, TWO), (ONE, "-- " + POINT, TWO), 5),
            (
                ("if x then", ONE, "elsif y then", ONE, "else", TWO, "end if;", POINT, TWO),
                ("if x then", ONE, "elsif y then", POINT, "end if;", TWO),
                8,
            ),
            (
                ("if x then", ONE, "return;", "end if;", TWO),
                ("if x then", ONE, "end if;", TWO),
                6,
            ),
            (
                ("for x in select 1 loop", ONE, POINT, "end loop;", TWO),
                ("for x in select 1 loop", "exit when y;", ONE, "end loop;", POINT),
                5,
            ),
            (
                (POINT, "begin", ONE, "exception when sqlstate 'CD001' then", TWO, "end;"),
                (ONE, "begin", "x := 1;", "exception when others then", TWO, "end;"),
                7,
            ),
            (
                (ONE, "raise exception 'no: %', case when x then 1 end;", TWO),
                (ONE, "x := case when y then 1 else 2 end;", TWO),
                5,
            ),
            (("return query delete from a;", POINT, TWO), ("return query delete from a;", TWO), 4),
        )
    ],
    Sample(
        fail_points.a_fail_point_is_between_two_writes,
        good={
            STOCK_SQL: sql_function("post", POINT, ONE, POINT),
            ORDERS_SQL: sql_function("place", ONE, "perform post(1);", TWO),
        },
        bad={
            STOCK_SQL: sql_function("post", POINT, ONE),
            ORDERS_SQL: sql_function(
                "place", ONE, "perform post(1);", "if post(2) then", "end if;", TWO
            ),
        },
        found=((ORDERS_SQL, 7),),
    ),
    Sample(
        layout.channels_look_alike,
        good=CHANNEL_FILES,
        bad={path: text for path, text in CHANNEL_FILES.items() if not path.endswith("auth.py")},
        found=at(f"{CHANNEL}/auth.py"),
    ),
    Sample(
        layout.channels_are_registered,
        good=CHANNEL_FILES
        | {layout.REGISTRY: 'CHANNELS = ("crossdock.channels.shoppex_partner",)'},
        bad=CHANNEL_FILES | {layout.REGISTRY: 'CHANNELS = ("crossdock.channels.shoppo",)'},
        found=at(layout.REGISTRY),
    ),
    Sample(
        layout.the_map_is_true,
        good={
            "ARCHITECTURE.md": "```tree\nsrc/\n  shop/  the core\n    a.py  b.py   two files\n```\n",
            "src/shop/a.py": "",
            "src/shop/b.py": "",
        },
        bad={
            "ARCHITECTURE.md": "```tree\nsrc/\n  shop/  the core\n    a.py  b.py   two files\n```\n",
            "src/shop/a.py": "",
        },
        found=at("ARCHITECTURE.md", 4),
    ),
    Sample(
        parts.tables_have_one_writer,
        good=TABLES
        | {
            STOCK_SQL: "update holds set x = 1;\n-- insert into orders\n",
            SHOP: "await tx.run('insert into orders select * from holds')\n",
        },
        bad=TABLES
        | {
            STOCK_SQL: "select 1;\ninsert into orders values (1);\n",
            SHOP: "x = 1\nawait tx.run('delete from holds')\n",
        },
        found=((SHOP, 2), (STOCK_SQL, 2)),
    ),
    Sample(
        parts.sql_calls_point_down,
        good={
            STOCK_SQL: "create or replace function post_stock() ...\n-- place_order()\n",
            ORDERS_SQL: "create or replace function place_order() ... post_stock() ... place_order()",
        },
        bad={
            STOCK_SQL: "create or replace function post_stock() ...\n  perform place_order();\n",
            ORDERS_SQL: "create or replace function place_order() ...",
        },
        found=((STOCK_SQL, 2),),
    ),
    Sample(
        parts.the_core_knows_no_channel,
        good={f"{CHANNEL}/app.py": "", SHOP: '"""Placed once (spec shoppex_partner 4.2)."""\n'},
        bad={f"{CHANNEL}/app.py": "", SHOP: "x = 1\nif channel == 'shoppex_partner': ...\n"},
        found=at(SHOP, 2),
    ),
    Sample(
        texts.no_index_is_named,
        good={"README.md": "Install it with pip.\n"},
        bad={"x.lock": "x==1\n--index-url https://py" + "pi.org/simple\n"},
        found=at("x.lock", 2),
    ),
    Sample(
        texts.no_machine_is_named,
        good={"README.md": "See ../shared/data and tools/work/x; /tmp/ is fine.\n"},
        bad={"README.md": "\nSee /wor" + "k/main/x.\n"},
        found=at("README.md", 2),
    ),
    Sample(
        texts.links_lead_somewhere,
        good={
            "docs/a.md": "# Stock, and limits\n[b](b.md#two-words) [c](#stock-and-limits) ![i](../i.png)\n",
            "docs/b.md": "## Two words\n[out](https://example.com/x) [top](../docs/)\n```\n[x](no.md)\n```\n",
            "i.png": "",
        },
        bad={"docs/a.md": "# A\n[b](b.md) [c](#none)\n"},
        found=(("docs/a.md", 2), ("docs/a.md", 2)),
    ),
    Sample(
        texts.named_paths_exist,
        good={
            "docs/a.md": "`src/crossdock/shop/x.py`, `shop/*.py`, `text/html`, `/api/x`, `tools/`\n",
            "src/crossdock/shop/x.py": "",
            "tools/x.py": "",
        },
        bad={"docs/a.md": "\n`shop/y.py`\n", "src/crossdock/shop/x.py": ""},
        found=at("docs/a.md", 2),
    ),
    Sample(
        words.the_core_speaks_no_web,
        good={
            SHOP: (
                '"""A session, however it is carried: a cookie, or a header."""\n'
                "def sign_in(token: str) -> None: ...\n"
                "where = 'orders/parts'\n"
            ),
            "src/crossdock/shop/deliveries/webhook.py": "headers = {'webhook-id': delivery}\n",
            "src/crossdock/gate/cookies.py": "cookie = 'Set-Cookie'\n",
        },
        bad={
            SHOP: (
                "session_cookie = ''\n"
                "def send(*, headers): ...\n"
                "home = '/console/'\n"
                "told = 'It answers HTTP 409.'\n"
            ),
            "src/crossdock/shop/deliveries/webhook.py": "kept = answer.cookies\n",
            "src/crossdock/shop/people/x.sql": "\nalter table sessions add csrf text;\n",
        },
        found=(
            *((SHOP, line) for line in (1, 2, 3, 4)),
            ("src/crossdock/shop/deliveries/webhook.py", 1),
            ("src/crossdock/shop/people/x.sql", 2),
        ),
    ),
    Sample(
        words.secrets_are_compared_in_constant_time,
        good={
            "src/crossdock/shop/partners/tokens.py": (
                "right = constant_time_equal(secret.value, token_hash)\n"
                "found = secret.id == secret_id\n"
                "if token == '': ...\n"
            ),
            "src/crossdock/kit/crypto.py": "same = left_secret == right_secret\n",
        },
        bad={
            "src/crossdock/shop/partners/tokens.py": "right = secret.value == kept_token\n",
            f"{CHANNEL}/auth.py": "\nif sign(message) != found.signature[:64]: ...\n",
        },
        found=(("src/crossdock/shop/partners/tokens.py", 1), (f"{CHANNEL}/auth.py", 2)),
    ),
    Sample(
        words.a_channels_word_stays_in_its_folder,
        good=CHANNEL_FILES
        | {
            "src/crossdock/kit/texts.py": '"""As a label has it (spec shoppex_partner 3)."""\n',
            "src/crossdock/commands/partners/partners.py": "facts = channel_facts()[channel]\n",
            f"{CHANNEL}/commands.py": "PREFIX = 'x-shoppex-'\n",
        },
        bad=CHANNEL_FILES
        | {
            "src/crossdock/kit/texts.py": "PREFIX = 'X-Shoppex-Key'\n",
            "src/crossdock/commands/trying/demo.py": (
                "from crossdock.channels.shoppex_partner import snippets\n"
                "if channel == 'shoppex_partner': ...\n"
            ),
            "src/crossdock/settings/model.py": "class Settings:\n    shoppex_skew_s: int = 5\n",
        },
        found=(
            ("src/crossdock/kit/texts.py", 1),
            ("src/crossdock/commands/trying/demo.py", 1),
            ("src/crossdock/commands/trying/demo.py", 2),
            ("src/crossdock/settings/model.py", 2),
        ),
    ),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.law.__name__)
def test_lets_a_good_sample_pass(sample: Sample) -> None:
    assert list(sample.law(Tree(sample.good))) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.law.__name__)
def test_finds_each_place_of_a_bad_sample(sample: Sample) -> None:
    found = [(finding.path, finding.line) for finding in sample.law(Tree(sample.bad))]

    assert sorted(found) == sorted(sample.found)


def test_every_law_has_a_sample() -> None:
    assert {law.__name__ for law in tidy.LAWS} == {sample.law.__name__ for sample in SAMPLES}


def test_a_reason_on_the_line_above_excuses_that_law_only() -> None:
    excuse = "# tidy: allow the_core_has_no_floats because a driver hands one over\n"
    tree = Tree({SHOP: excuse + "x = float(1)\n", "ARCHITECTURE.md": ""})

    assert list(tidy.broken_laws(tree)) == []
    assert tidy.is_excused(tree, Finding(SHOP, 2, ""), law="the_core_has_no_floats")
    assert not tidy.is_excused(tree, Finding(SHOP, 2, ""), law="files_are_short")


def test_an_excuse_without_a_reason_excuses_nothing() -> None:
    tree = Tree(
        {SHOP: "x = float(1)  # tidy: allow the_core_has_no_floats\n", "ARCHITECTURE.md": ""}
    )

    assert [law for law, _ in tidy.broken_laws(tree)] == ["the_core_has_no_floats"]


def test_headings_of_the_same_name_get_numbers() -> None:
    assert texts.heading_anchors("# A `b`\n## A b\n## A b\n") == {"a-b", "a-b-1", "a-b-2"}
