"""The text that `crossdock run` prints: the channels, and requests to copy."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.db.runtime import Runtime
from crossdock.settings import Settings

if TYPE_CHECKING:
    from crossdock.demo.console import ConsoleAccess


async def greeting(runtime: Runtime) -> str:
    """The server's address, its channels, and signed example requests."""
    from crossdock.compose import create_box
    from crossdock.demo.access import find_sample_variant
    from crossdock.demo.console import read_console_access

    async with runtime.database.statement() as tx:
        product_id = await find_sample_variant(tx)
        access = await read_console_access(tx, box=create_box(runtime.settings))
    base_url = runtime.settings.server.public_url.rstrip("/")
    parts = [_heading(runtime.settings), _table(base_url, access=access)]
    if product_id is None:
        parts.append("There is no demo shop. Add partners with: crossdock partner add --help")
    else:
        parts += _requests(command(runtime.settings), product_id=product_id)
    return "\n".join(parts)


def command(settings: Settings) -> str:
    """The command line that starts this program again with the same data folder."""
    program = Path(sys.argv[0]).absolute()
    if program.name == "__main__.py":
        words = [shlex.quote(sys.executable), "-m", "crossdock"]
    else:
        here = Path.cwd()
        shown = program.relative_to(here) if program.is_relative_to(here) else program
        words = [shlex.quote(str(shown))]
    if settings.server.data_path != Settings().server.data_path:
        words.insert(0, f"CROSSDOCK_DATA_DIR={shlex.quote(str(settings.server.data_path))}")
    return " ".join(words)


def _heading(settings: Settings) -> str:
    url, folder = settings.server.public_url, settings.server.data_path
    return f"\nCrossdock serves on {url} (data in {folder}); Ctrl-C stops it.\n"


def _table(base_url: str, *, access: "ConsoleAccess | None") -> str:
    from crossdock.channels.registry import channel_facts

    names = ("Channel", *channel_facts())
    width = max(map(len, names))
    lines = [f"  {'Channel':{width}}  API reference", f"  {'-' * width}  {'-' * 13}"]
    lines += [f"  {name:{width}}  {base_url}/docs/api/{name}" for name in names[1:]]
    lines += [
        f"\n  Guides for partners and operators: {base_url}/docs/",
        f"  Console for people: {base_url}/console/",
        *([f"    sign in as {access.email} with {access.password}"] if access else []),
        "",
    ]
    return "\n".join(lines)


def _requests(start: str, *, product_id: int) -> Iterator[str]:
    from crossdock.channels.registry import manifests

    hint = " (paste into another terminal, in this folder)"
    for manifest in manifests():
        requests = manifest.demo().requests if manifest.demo else None
        for what, text in requests(start, product_id) if requests else ():
            yield f"{what}{hint}:\n"
            yield text
            hint = ""
    yield f"The demo's keys once more: {start} demo credentials"
