"""The guide for resellers..."""

import asyncio
import json
import re
from pathlib import Path

from tests.support.people import PASSWORD
from tests.support.portal import invitation
from tests.support.reseller_client import CHANNEL
from tests.support.reselling import Reselling

GUIDE = Path(__file__).parents[3] / "docs/guides/resellers.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def calls() -> list[str]:
    """Each command of the guide, in its order."""
    blocks = "".join(BLOCK.findall(GUIDE.read_text())).replace("\\\n", " ")
    return blocks.splitlines()


async def run(command: str, *, folder: Path, **values: str) -> bytes:
    """What a command of the guide prints; one that the server refuses fails."""
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command.replace("curl ", "curl -sS --fail-with-body ", 1),
        cwd=folder, env={"PATH": "/usr/bin:/bin", **values},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, complaint = await process.communicate()
    assert process.returncode == 0, (command, told, complaint)
    return told


async def test_has_calls_that_work_in_their_order(desk_database, desk_server, tmp_path):
    selling = await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)
    email, token = await invitation(selling)
    values = {
        "base_url": desk_server.url, "email": email, "token": token, "password": PASSWORD,
    }  # fmt: skip
    told: dict[str, bytes] = {}
    for command in calls():
        if "$session" in command and "session" not in values:
            values["session"] = json.loads(told["sessions"])["data"]["session"]["token"]
        name = re.findall(r"/portal/v1/([a-z-]+(?:/[a-z]+)?)", command)[0]
        told[name] = await run(command, folder=tmp_path, **values)
    assert list(told) == [
        "invitations/preview", "invitations/accept", "sessions", "me", "api-keys", "balance",
        "top-ups", "statement",
    ]  # fmt: skip
    assert json.loads(told["api-keys"])["data"]["api_key"].startswith("shr_")
    assert (tmp_path / "statement.pdf").read_bytes().startswith(b"%PDF-")
