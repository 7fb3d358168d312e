"""`crossdock master-key`: change the key that encrypts secrets, and remove the previous one."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import require_master_key, with_runtime
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.kit.crypto import SecretBox
    from crossdock.shop.resealing import Sealed

app = typer.Typer(help="Change the master key that encrypts secrets.", no_args_is_help=True)

Moved = Callable[[int], None]
T = TypeVar("T")

_IN_SETTINGS = "Take it out of master_key_older in the settings."


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The number of sealed secrets by table, and of those that need an older key."""

    is_new_key: bool
    older_keys: int
    sealed_again: int
    needs_older: int
    unreadable: int
    tables: "list[Sealed]"

    @property
    def is_clean(self) -> bool:
        """Whether the newest key opens everything."""
        return not self.needs_older and not self.unreadable


@app.command()
def change(as_json: JsonOption = False) -> None:
    """Create a new key in the data folder and re-encrypt everything; an interrupted change resumes."""

    async def run(runtime: Runtime, moved: Moved) -> Summary:
        from crossdock.compose import Services
        from crossdock.kit.master_key import KeyFile

        if runtime.settings.secrets.master_key:
            raise Invalid(
                "invalid_input",
                "The key is in the settings: put a new one into master_key and the current one into "
                "master_key_older, restart the server, then run: crossdock master-key reseal",
            )
        await require_master_key(runtime)
        box = Services(runtime).box
        is_new = not box.older_count or not (await _check(runtime)).needs_older
        if is_new:
            KeyFile(runtime.settings.server.data_path).change()
        return await _reseal(runtime, box=box, moved=moved, is_new=is_new)

    _finish(_with_progress(run, passes=2), as_json=as_json)


@app.command()
def reseal(
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 1 if a secret needs an older key."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Re-encrypt with the newest key what needs an older one; the server may keep running."""

    async def run(runtime: Runtime, moved: Moved) -> Summary:
        from crossdock.compose import Services

        if check:
            return await _check(runtime, moved=moved)
        await require_master_key(runtime)
        box = Services(runtime).box
        return await _reseal(runtime, box=box, moved=moved, is_new=False)

    _finish(_with_progress(run, passes=1 if check else 2), as_json=as_json)


@app.command()
def forget(as_json: JsonOption = False) -> None:
    """Remove the older keys from the data folder's file if no secret needs them."""

    async def run(runtime: Runtime, moved: Moved) -> int:
        from crossdock.kit.master_key import KeyFile
        from crossdock.shop.resealing import await_writers

        file = KeyFile(runtime.settings.server.data_path)
        if runtime.settings.secrets.master_key or runtime.settings.secrets.master_key_older:
            raise Invalid(
                "invalid_input",
                "The older key is in the settings: when `crossdock master-key reseal --check` finds nothing, "
                "take it out of master_key_older there.",
            )
        newest = file.read()[0]
        await require_master_key(runtime)
        await await_writers(runtime.database)
        found = await _check(runtime, moved=moved)
        if found.needs_older:
            raise Invalid(
                "invalid_input",
                f"Secrets that still need an older key: {found.needs_older:,}. First run: crossdock master-key reseal",
            )
        return file.forget_older(newest=newest)

    forgotten = _with_progress(run, passes=1)
    text = f"Older keys forgotten: {forgotten}." if forgotten else "There is no older key."
    report({"forgotten": forgotten}, as_json=as_json, text=text)


async def _check(runtime: Runtime, *, moved: Moved = lambda done: None) -> Summary:
    from crossdock.compose import Services
    from crossdock.demo.console import has_former_password
    from crossdock.shop.resealing import check_seals

    box = Services(runtime).box
    tables = await check_seals(runtime.database, box=box, moved=moved)
    async with runtime.database.statement() as tx:
        is_former = await has_former_password(tx, box=box)
    return _summary([*tables, _demo(is_due=is_former)], box=box, is_new=False)


async def _reseal(runtime: Runtime, *, box: "SecretBox", moved: Moved, is_new: bool) -> Summary:
    from crossdock.demo.console import renew_password
    from crossdock.shop.resealing import reseal

    tables = await reseal(runtime.database, box=box, moved=moved)
    async with runtime.database.begin() as tx:
        is_renewed = await renew_password(tx, box=box)
    return _summary([*tables, _demo(is_renewed=is_renewed)], box=box, is_new=is_new)


def _demo(*, is_due: bool = False, is_renewed: bool = False) -> "Sealed":
    """The demo's console password, which is derived from the key."""
    from crossdock.shop.resealing import Sealed

    return Sealed(
        name="the demo's sign-in",
        looked_at=int(is_due or is_renewed),
        sealed_again=int(is_renewed),
        needs_older=int(is_due),
    )


def _summary(tables: "list[Sealed]", *, box: "SecretBox", is_new: bool) -> Summary:
    return Summary(
        is_new_key=is_new,
        older_keys=box.older_count,
        sealed_again=sum(table.sealed_again for table in tables),
        needs_older=sum(table.needs_older for table in tables),
        unreadable=sum(table.unreadable for table in tables),
        tables=tables,
    )


def _with_progress(action: Callable[[Runtime, Moved], Awaitable[T]], *, passes: int) -> T:
    """Run `action` with a progress bar on a terminal, over all sealed secrets `passes` times."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as progress:
        task = progress.add_task("Secrets", total=None)

        async def run(runtime: Runtime) -> T:
            from crossdock.shop.resealing import count_sealed

            progress.update(task, total=passes * await count_sealed(runtime.database))
            return await action(runtime, lambda done: progress.advance(task, done))

        return with_runtime(run)


def _finish(summary: Summary, *, as_json: bool) -> None:
    """Print the summary; exit 1 unless the newest key opens everything."""
    report(summary, as_json=as_json, text="\n".join(_lines(summary)))
    raise typer.Exit(0 if summary.is_clean else 1)


def _lines(summary: Summary) -> Iterator[str]:
    if summary.is_new_key:
        yield "A new key was made; keep a copy of it in a safe place."
    yield _row("", "looked at", "sealed again", "need an older key", "no known key opens")
    for each in summary.tables:
        counts = (each.looked_at, each.sealed_again, each.needs_older, each.unreadable)
        yield _row(each.name, *(f"{count:,}" for count in counts))
        yield from (f"    no known key opens {place}" for place in each.unreadable_places)
    yield _advice(summary)


def _row(name: str, *cells: str) -> str:
    return f"{name:<20}" + "".join(f"{cell:>20}" for cell in cells)


def _advice(summary: Summary) -> str:
    if summary.needs_older:
        return "Keep the older keys. Go on with: crossdock master-key reseal"
    if not summary.older_keys:
        return "There is no older key."
    settings = load_settings()
    is_in_settings = bool(settings.secrets.master_key or settings.secrets.master_key_older)
    how = _IN_SETTINGS if is_in_settings else "Be rid of it with: crossdock master-key forget"
    return f"Nothing needs an older key any more, but for backups of its time. {how}"
