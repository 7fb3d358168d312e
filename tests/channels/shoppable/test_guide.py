"""The publisher's guide tells what is so."""

import asyncio
import json
import os
import re
from pathlib import Path

from crossdock.channels.shoppable.answers import WireCatalogue, WireMetadata
from crossdock.channels.shoppable.errors import WIRE, WIRE_ONLY
from crossdock.channels.shoppable.limits import LIMITS
from crossdock.channels.shoppable.navigation import KINDS
from crossdock.channels.shoppable.parameters import SORTS
from crossdock.channels.shoppable.showing import COUPON_TYPES
from crossdock.channels.shoppable.solr_fields import ACTIVE, NAMES
from tests.support.processes import ROOT

GUIDE = Path(ROOT / "docs/channels/shoppable.md")
SPELT = {"onSale"}  # taken as well, and not told
OUTSIDE = {500, 503}  # of every call, and told together


def quoted() -> set[str]:
    """What stands in back-quotes."""
    text = re.sub(r"^```.*?^```", "", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


def test_it_names_every_field_of_a_search_every_sort_and_every_navigation():
    assert (set(NAMES) | {ACTIVE}) - SPELT <= quoted()
    assert set(SORTS) | set(KINDS) | set(COUPON_TYPES) <= quoted()


def test_it_names_every_number_that_a_call_can_answer():
    rows = re.findall(r"^\| ([0-9, ]+) \| ([0-9, ]+) \|", GUIDE.read_text(), re.MULTILINE)
    told = {int(number) for numbers, _ in rows for number in numbers.split(", ")}
    known = {number for number in WIRE_ONLY if number >= 30_000} | {30000, 30002, 40001, 40002}
    assert told == known
    statuses = {status for status, number, _ in WIRE.values() if number in told}
    assert statuses <= {int(one) for _, status in rows for one in status.split(", ")}


def test_it_names_every_limit():
    limits = [limit for _, limit in LIMITS.fields if limit[0].isdigit()]
    numbers = {number for limit in limits for number in re.findall(r"[0-9][0-9,]+", limit)}

    assert len(limits) > 2
    assert {number for number in numbers if number not in GUIDE.read_text()} == set()


def test_its_answer_has_the_fields_of_an_answer():
    text = GUIDE.read_text()
    for name in (*WireCatalogue.__struct_fields__, *WireMetadata.__struct_fields__):
        assert f'"{name}"' in text


async def test_its_table_of_filters_is_right(publisher):
    rows = re.findall(r"^\| `merchants=(.+?)` \| (.+?) \|$", GUIDE.read_text(), re.MULTILINE)
    assert len(rows) == 6
    for value, told in rows:
        reply = await publisher.get("/v3/catalog", merchants=value.replace("\\|", "|"))
        if told.startswith("error"):
            assert reply.json()["code"] == int(told.removeprefix("error "))
            continue
        found = {each["merchant"] for each in reply.json()["products"]}
        assert found == (set() if told == "none" else set(told.split(", ")))


async def test_its_call_reads_the_catalogue(publisher, mall_server):
    (command,) = re.findall(r"^```sh\n(.+?)\n```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    told = await asyncio.create_subprocess_exec(
        "sh",
        "-c",
        command,
        env={**os.environ, "BASE_URL": mall_server.url, "TOKEN": publisher.token},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(told.communicate(), 30)
    assert json.loads(out)["metadata"]["rows"] == 2
