"""Partners' own programs work: those printed in the published document, and those of our guide."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

SEED = ROOT.parent / "shared" / "seeds" / "000-shoppex-partner.txt"
GUIDE = ROOT / "docs" / "channels" / "shoppex_partner.md"

# The label above a printed program, and how its language is run.
LANGUAGES = {
    "JavaScript Node.js": ("node", ".mjs"),
    "PHP cURL": ("php", ".php"),
    "Python requests": (sys.executable, ".py"),
}
FENCES = {"js": "JavaScript Node.js", "php": "PHP cURL", "python": "Python requests"}
LABELS = [*LANGUAGES, "Implementation snippets", "Successful response example"]
METHODS = ("GET", "POST")


def printed(method: str, language: str) -> str:
    """The program as it stands in the published document."""
    if not SEED.is_file():
        pytest.skip("../shared/seeds is absent: the printed programs cannot be read")
    endpoint = SEED.read_text().split("\nRequest example\n")[1 + METHODS.index(method)]
    _, _, text = endpoint.partition(f"\n{language}\n")
    ends = [text.find(f"\n{label}\n") for label in LABELS if f"\n{label}\n" in text]
    return text[: min(ends)]


def with_constants(program: str, *, base_url: str, key: str, secret: str) -> str:
    """The program with its first three constants changed, and not a character more."""
    for placeholder, value in (
        ("https://your-shoppex-domain.com", base_url),
        ("YOUR_PARTNER_KEY", key),
        ("YOUR_PARTNER_SECRET", secret),
    ):
        assert program.count(f"'{placeholder}'") == 1
        program = program.replace(f"'{placeholder}'", f"'{value}'")
    return program


def run(language: str, program: str, folder: Path, **variables: str) -> str:
    """What the program prints; skipped where its language is not installed."""
    command, suffix = LANGUAGES[language]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed: {language} cannot be run")
    path = folder / f"partner{suffix}"
    path.write_text(program)
    environment = {n: v for n, v in os.environ.items() if not n.lower().endswith("_proxy")}
    done = subprocess.run(
        [command, str(path)],
        env=environment | variables, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if language == "PHP cURL" and "undefined function curl_init" in done.stdout + done.stderr:
        pytest.skip("PHP is here without its curl extension")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_printed_program_lists_products(server, partner, variant, tmp_path, language):
    await variant(id=12345, name="Blue mug", own=24, upc="000000000017")
    program = with_constants(
        printed("GET", language), base_url=server.url, key=partner.key, secret=partner.secret
    )
    told = run(language, program, tmp_path)
    for wanted in ("12345", "Blue mug", "19.99", "SC", "000000000017", "stock_sc", "origen"):
        assert wanted in told


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_printed_program_places_an_order(
    server, partner, variant, server_database, shop, tmp_path, language
):
    await variant(id=12345, own=24)
    program = with_constants(
        printed("POST", language), base_url=server.url, key=partner.key, secret=partner.secret
    )
    told = run(language, program, tmp_path)
    assert "partner_integration" in told
    async with server_database.statement() as tx:
        order = await tx.one(
            "select o.partner_order_id, o.comments, l.variant_id, l.quantity, l.note from orders o"
            " join order_lines l on l.order_id = o.id where o.shop_id = %s",
            (shop.id,),
        )
    assert order is not None
    number, comment, *line, note = order
    assert f'"{number}"' in program.replace("'", '"')
    assert f'"{comment}"' in program.replace("'", '"')
    assert line == [12345, 2]
    assert note == f"Partner Order ID: {number} | {comment}"
    again = run(language, program, tmp_path)
    assert "partner_order_already_exists" in again


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_printed_program_is_told_of_a_wrong_secret(server, partner, tmp_path, language):
    program = with_constants(
        printed("GET", language), base_url=server.url, key=partner.key, secret="sk_wrong"
    )
    assert "partner_auth_invalid_signature" in run(language, program, tmp_path)


def guide_programs() -> list[tuple[str, str]]:
    """(language, program) of every fenced program of the guide that calls the shop."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return [
        (FENCES[fence], text) for fence, text in blocks if fence in FENCES and "BASE_URL" in text
    ]


def test_the_guide_has_a_program_in_every_language():
    assert {language for language, _ in guide_programs()} == set(LANGUAGES)


@pytest.mark.parametrize(("language", "program"), guide_programs(), ids=lambda value: value[:20])
async def test_the_guides_program_lists_and_orders(
    server, partner, variant, server_database, shop, tmp_path, language, program
):
    await variant(own=0)
    product = await variant(own=3, name="Guide mug")
    variables = {
        "BASE_URL": server.url,
        "PARTNER_KEY": partner.key,
        "PARTNER_SECRET": partner.secret,
    }
    told = run(language, program, tmp_path, **variables)
    async with server_database.statement() as tx:
        order = await tx.one(
            "select o.id, l.variant_id from orders o join order_lines l on l.order_id = o.id where o.shop_id = %s",
            (shop.id,),
        )
    assert order is not None
    assert order[1] == product
    assert str(order[0]) in told


async def test_the_printed_curl_requests_are_understood_but_their_placeholder_is_no_signature(
    server, partner
):
    """The curl examples carry a fixed time and a placeholder: the answer names the first thing wrong."""
    if not SEED.is_file() or shutil.which("curl") is None:
        pytest.skip("the printed curl examples need ../shared/seeds and curl")
    for part in SEED.read_text().split("\nRequest example\n")[1:]:
        command = part.partition("\nImplementation snippets\n")[0].strip()
        command = command.replace("https://shop.shoppexcorp.com", server.url)
        done = subprocess.run(
            ["sh", "-c", command.replace("curl -X", "curl -sS --noproxy '*' -X")],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert json.loads(done.stdout)["code"] == "partner_auth_expired_timestamp", done.stderr
