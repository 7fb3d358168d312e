"""A table shows every key, number and word whole, however narrow the terminal is."""

import ast
import base64
import re
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.command_line import CommandLine
from tests.support.factories import MASTER_KEY
from tests.support.processes import ROOT
from tests.support.warehousing import Warehouse

COMMANDS = ROOT / "src/crossdock/commands"
WIDE = 3_000
LONG = "KEY-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-9"
NAME = "Mug [blue] with :smile: and a name of several words"
BIG = 123_456_789_012
TABLES = {
    "catalogue/coupons.py": ("coupon list",),
    "catalogue/import_report.py": ("import {file} --format jsonl --dry-run",),
    "catalogue/import_group.py": ("import list",),
    "catalogue/media.py": ("media list", "media failed"),
    "catalogue/merchants.py": ("merchant list",),
    "catalogue/products.py": ("product list", f"product show {LONG}"),
    "catalogue/searching.py": ("search query Mug", "search status"),
    "money/ledger.py": ("ledger accounts", "ledger entries", "ledger trial"),
    "orders/connectors.py": ("connector list",),
    "orders/deliveries.py": ("delivery list",),
    "orders/dispatches.py": ("dispatch list",),
    "orders/fulfil_tables.py": ("fulfil list --state shipped", "fulfil show {order} --serials"),
    "orders/order_tables.py": ("order list", "order show {order}"),
    "orders/serials.py": (f"stock serials list {LONG}-S",),
    "orders/stock.py": (
        f"stock show {LONG}",
        f"stock entries {LONG}",
        f"stock low --at-most {BIG}",
    ),
    "orders/ticket_tables.py": ("ticket list",),
    "orders/webhooks.py": ("webhook list", "webhook log"),
    "partners/customers.py": ("customer list",),
    "partners/offers.py": (f"partner offers {{partner}} {LONG}",),
    "partners/tables.py": ("partner list",),
    "people/people.py": ("person list",),
    "people/sessions.py": ("person sessions {email}", "log"),
    "people/sales_reps.py": ("sales-rep list",),
    "server/alerts.py": ("alerts list",),
    "server/events.py": ("event consumers",),
    "server/mail.py": ("mail list",),
    "server/jobs.py": ("jobs list", "jobs show {job}"),
}
"""By file, every command that prints one of its tables."""
SHOWN = {
    "coupon list": ("SUMMER-0123456789-0123456789",),
    "import {file} --format jsonl --dry-run": ("4006381333930", "(warning)"),
    "import list": (f"{LONG}.csv", "jsonl", "[bad]"),
    "media list": ("0123456789abcdef" * 2,),
    "media failed": ("https://a.example/" + "y" * 60, "[404]"),
    "merchant list": ("a-merchant-whose-slug-is-longer-than-forty-letters",),
    "product list": (LONG,),
    f"product show {LONG}": (LONG, "[blue]", str(BIG - 2)),
    "search status": ("SKUs", "event"),
    "search query Mug": ("[blue]", ":smile:"),
    "ledger accounts": (f"{BIG:,}".replace(",", "") + ".00",),
    "ledger trial": (f"{BIG:,}".replace(",", "") + ".00", "sales"),
    "ledger entries": (f"{BIG:,}".replace(",", "") + ".00",),
    "connector list": (LONG.lower(),),
    "delivery list": (LONG, "https://a.example/" + "x" * 60),
    "dispatch list": (f"sent-{LONG}",),
    "fulfil list --state shipped": ("W-1",),
    "fulfil show {order} --serials": (LONG, f"SN-{LONG},", "[blue]", f"TRACK-{LONG}"),
    "order list": ("W-1", "Fulfilment", "Payment", "Shipped", "account"),
    "order show {order}": (LONG, "[blue]", ":smile:"),
    f"stock serials list {LONG}-S": ("Serial",),
    f"stock show {LONG}": (LONG, str(BIG - 2)),
    f"stock entries {LONG}": (f"+{BIG}",),
    f"stock low --at-most {BIG}": (LONG, str(BIG - 2)),
    "ticket list": (f"buyer-{LONG.lower()}@example.com",),
    "webhook list": ("https://a.example/" + "w" * 60, "order:created"),
    "webhook log": ("order:created", "refused"),
    "customer list": (f"{LONG.lower()}@example.com",),
    f"partner offers {{partner}} {LONG}": (LONG, "[blue]", str(BIG - 2)),
    "partner list": (),
    "person list": (f"{LONG.lower()}@example.com",),
    "person sessions {email}": ("2126-03-02",),
    "log": ("crossdock", "person", "add"),
    "sales-rep list": (f"{LONG.lower()}@example.com",),
    "alerts list": ("[Look]", "here."),
    "event consumers": (str(BIG), f"reader_{LONG.lower()}"),
    "mail list": (f"mail-{LONG.lower()}@example.com", "[Mug]"),
    "jobs list": (f"task_{LONG}",),
    "jobs show {job}": (f"task_{LONG}",),
}
_IMPORTED = (
    "insert into imports (shop_id, origin, name, size_bytes, format, state, error, created_at,"
    " changed_at) values (%s, 'command', %s, 9, 'jsonl', 'failed', 'Row 4 is [bad]', now(), now())"
)
OF_ALL_SHOPS = ("partner", "person", "log", "event", "jobs", "alerts")
"""These take no --shop, or show more without it."""


def test_every_table_is_tried_and_printed_by_one_function():
    printing, by_themselves = {}, []
    for path in COMMANDS.rglob("*.py"):
        text, name = path.read_text(), str(path.relative_to(COMMANDS))
        if tables := len(re.findall(r"[^.\w]Table\(", text)):
            printing[name] = tables
            calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            printed = sum(ast.unparse(call.func) == "print_table" for call in calls)
            by_themselves += [name] if printed != tables else []

    assert by_themselves == []
    assert set(printing) == set(TABLES)
    assert {command for commands in TABLES.values() for command in commands} == set(SHOWN)


@pytest.fixture
async def filled(
    database: Any, clock: Any, database_url: str, tmp_path: Path
) -> tuple[CommandLine, dict[str, object]]:
    """A shop with something long in every table."""
    warehouse = await Warehouse.open(database, clock)
    shop, slug = warehouse.shop, warehouse.shop.slug
    good = await warehouse.variant(own=BIG, sku=LONG, name=NAME, currency="EUR")
    await warehouse.variant(own=None, sku=f"{LONG}-S", currency="EUR")
    order = await warehouse.enter((good, 2))
    await warehouse.pick(order, {1: 2})
    await warehouse.scan(order, 1, f"SN-{LONG}", "SN-2")
    await warehouse.ship(await warehouse.pack(order, {1: 2}), number=f"TRACK-{LONG}")
    job = None
    with psycopg.connect(database_url) as db:
        db.execute(_IMPORTED, (shop.id, f"{LONG}.csv"))
        for statement, values in _statements(
            shop.id, order=order, email=f"{LONG.lower()}@example.com"
        ):
            row = db.execute(statement, values)
            job = row.fetchone()[0] if "procrastinate_jobs" in statement else job  # type: ignore[index]
    key = base64.b64encode(MASTER_KEY).decode()
    line = CommandLine(data_dir=tmp_path, database_url=database_url, master_key=key)
    in_shop = ("--shop", slug)
    keys, products = tmp_path / "keys.txt", tmp_path / "goods.jsonl"
    keys.write_text("A-1\nA-2\n")
    products.write_text('{"name": "Mug", "sku": "NO-PRICE", "upc": "4006381333930"}\n')
    line.ask("stock", "serials", "add", f"{LONG}-S", *in_shop, "--file", keys)
    line.ask("coupon", "add", "SUMMER-0123456789-0123456789", *in_shop, "--percent-off", "10")
    line.ask("connector", "add", LONG.lower(), *in_shop, "--kind", "manual")
    line.ask("person", "add", f"{LONG.lower()}@example.com", *in_shop, "--role", "viewer")
    line.ask("search", "rebuild", *in_shop)
    with psycopg.connect(database_url) as db:
        db.execute(
            "insert into sessions (token_hash, principal_kind, principal_id, form_token, is_complete,"
            " created_at, seen_at, expires_at) select %s, kind, id, 'x', true, now(), now(), '2126-03-02'"
            " from people where email = %s",
            (LONG.encode(), f"{LONG.lower()}@example.com"),
        )
    return line, {
        "shop": slug, "order": order, "job": job, "partner": warehouse.partner.id, "file": products,
        "email": f"{LONG.lower()}@example.com",
    }  # fmt: skip


def _statements(shop_id: int, *, order: int, email: str) -> list[tuple[str, tuple[object, ...]]]:
    delivery = (
        "insert into deliveries (shop_id, kind, target, subject_id, object_key, status, result,"
        " last_error, queued_at, sent_at, updated_at)"
        " values (%s, %s, %s, %s, %s, 'sent', %s, %s, now(), now(), now())"
    )
    address = "https://a.example/" + "x" * 60
    transfer = {
        "debit": {"kind": "bank", "owner": "shop"}, "credit": {"kind": "sales", "owner": "shop"},
        "amount_minor": BIG * 100, "currency": "EUR", "kind": "sale", "reason": "",
    }  # fmt: skip
    job = (
        "insert into procrastinate_jobs (queue_name, task_name, args, status)"
        " values ('default', %s, %s, 'failed') returning id"
    )
    ticket = (
        "insert into tickets (shop_id, partner_id, kind, first_name, last_name, email, created_at,"
        " updated_at) values (%s, %s, 'question', 'Ada', 'Moreno', %s, now(), now())"
    )
    file = (
        "insert into image_files (shop_id, checksum, digest, place, format, width, height, color,"
        " size_bytes, created_at) values (%s, %s, '', %s, 'JPEG', 4000, 3000, '#CDCDCD', 9, now())"
    )
    image = (
        "insert into images (shop_id, partner_id, checksum, unused_since)"
        " values (%s, null, %s, now())"
    )
    source = (
        "insert into image_sources (shop_id, digest, url, is_video, failures, error)"
        " values (%s, '', %s, false, 8, 'refused [404]')"
    )
    mail = (
        "insert into mails (shop_id, dedupe_key, template, recipient, subject, sealed, is_posted,"
        " created_at) values (%s, 'key', 'item_delivery', %s, 'Your [Mug]', '', false, now())"
    )
    hook = (
        "insert into webhook_subscriptions (shop_id, channel, url, names, sealed_secret, created_at,"
        " updated_at) values (%s, 'shoppex_reseller', %s, '{order:created}', '', now(), now())"
    )
    call = (
        "insert into deliveries (shop_id, kind, target, payload, status, last_error, queued_at,"
        " updated_at) select shop_id, 'shoppex_reseller_webhook', id::text, %s, 'failed', 'refused',"
        " now(), now() from webhook_subscriptions where shop_id = %s"
    )
    told = {"event": "order:created", "data": {}, "created_at": 0}
    checksum, url = "0123456789abcdef" * 2, "https://a.example/" + "y" * 60
    slug = "a-merchant-whose-slug-is-longer-than-forty-letters"
    return [
        ("update customers set email = %s where shop_id = %s", (email, shop_id)),
        ("update products set name = %s where shop_id = %s", (NAME, shop_id)),
        ("insert into merchants (shop_id, slug, name) values (%s, %s, 'M')", (shop_id, slug)),
        ("insert into sales_reps (shop_id, name, email) values (%s, 'Nora', %s)", (shop_id, email)),
        (delivery, (shop_id, "note", address, 7, LONG, "their-id", "refused")),
        (delivery, (shop_id, "dispatch", "house", order, None, f"sent-{LONG}", "")),
        ("select raise_alert(%s, 'test', '[Look] here.', 5, now())", (shop_id,)),
        ("select post_transfers(%s, %s, null, now())", (shop_id, Jsonb([transfer]))),
        (file, (shop_id, checksum, f"{shop_id}/table")),
        (image, (shop_id, checksum)),
        (source, (shop_id, url)),
        (hook, (shop_id, "https://a.example/" + "w" * 60)),
        (call, (Jsonb(told), shop_id)),
        (mail, (shop_id, f"mail-{email}")),
        (ticket, (shop_id, BIG, f"buyer-{email}")),
        (
            "insert into event_consumers (shop_id, consumer, position) values (%s, %s, %s)",
            (shop_id, f"reader_{LONG.lower()}", BIG),
        ),
        (job, (f"task_{LONG}", Jsonb({"of": ["shop", shop_id]}))),
    ]


def words_of(text: str) -> Counter[str]:
    """The words of a table, without its frame; an age in seconds grows between two commands."""
    bare = re.sub(r"[\u2500-\u257f]", " ", text)
    return Counter(re.sub(r"\b[0-9]+( +s\b)", r"N\1", bare).split())


async def test_no_table_cuts_a_key_a_number_or_a_word(filled, monkeypatch):
    line, named = filled
    cut = []
    for command, keys in SHOWN.items():
        words = command.format(**named).split()
        if not command.startswith(OF_ALL_SHOPS):
            words += ["--shop", str(named["shop"])]
        seen = {}
        for columns in (WIDE, 80, 60):
            monkeypatch.setenv("COLUMNS", str(columns))
            ended = line.run(*words)
            seen[columns] = words_of(ended.stdout + ended.stderr)
        assert "Traceback" not in ended.stderr, ended.stderr
        assert {key for key in keys if key not in seen[WIDE]} == set(), (command, seen[WIDE], ended)
        cut += [f"{command} at {columns}" for columns in (80, 60) if seen[columns] != seen[WIDE]]

    assert cut == []
