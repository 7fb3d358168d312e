"""`crossdock restore`: restore an installation from a file that `crossdock backup` wrote."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import run_once
from crossdock.db.runtime import Runtime
from crossdock.kit.numbers import counted
from crossdock.settings import Settings
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.db.backups import Manifest, Restored
    from crossdock.shop.doctor import CheckResult

_KEYS = {
    "restored": "The master key was restored with it.",
    "right": "The master key that is here decrypts its secrets.",
    "missing": "The master key is not in the file. Before the server starts, put it into {place}; a new "
    "one decrypts none of the partners' secrets.",
    "wrong": "No master key that is here decrypts {count} of its secrets. Put the key of that time into "
    "{place}, or into master_key_older.",
}


class After(msgspec.Struct, frozen=True, kw_only=True):
    """The restored database: the doctor's result, and whether the master key opens its secrets."""

    checks: "list[CheckResult]"
    master_key: str
    unreadable: int = 0

    @property
    def differences(self) -> int:
        """The number of differences that the doctor found."""
        return sum(len(check.differences) for check in self.checks)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `crossdock backup` wrote.")],
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Delete what is in the database; without it, it must be empty."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --replace: do not ask before deleting.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only check the file; no database is touched.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into an empty data folder or database, completely or not at all.

    The file is checked before anything is written, and the doctor runs at the end. Exit code: 0 done,
    1 refused, failed or the doctor found differences, 2 the file cannot be read or is damaged.
    """
    from crossdock.db.backups import Unreadable

    try:
        _restore(file, replace=replace, yes=yes, check=check, as_json=as_json)
    except Unreadable as error:
        typer.echo(f"crossdock: {error.message}", err=True)
        raise typer.Exit(2) from error


def _restore(file: Path, *, replace: bool, yes: bool, check: bool, as_json: bool) -> None:
    from crossdock.commands.server.backup_progress import RowProgress, facts_of
    from crossdock.db.backups import check_archive, read_manifest, require_known
    from crossdock.db.embedded import running_database

    settings = load_settings()
    manifest = read_manifest(file)
    with RowProgress() as progress:
        progress.begins("Checking", rows=manifest.rows)
        check_archive(file, manifest, moved=progress.moved)
    require_known(manifest)
    facts = {"file": str(file), **facts_of(manifest)}
    if check:
        report(facts, as_json=as_json, text=f"{file} is whole: {_told(manifest)}.")
        return
    with running_database(settings) as running:
        _confirm(running, replace=replace, yes=yes)
        restored = _load(file, manifest, settings=running, replace=replace)
        after = run_once(lambda runtime: _look(runtime, manifest=manifest), settings=running)
    facts |= {"replaced": restored.replaced, "master_key": after.master_key}
    facts |= {"unreadable_secrets": after.unreadable, "differences": after.differences}
    report(facts, as_json=as_json, text=_report(file, manifest, after=after, settings=settings))
    raise typer.Exit(1 if after.differences else 0)


def _confirm(settings: Settings, *, replace: bool, yes: bool) -> None:
    """Ask for confirmation at a terminal before anything is deleted."""
    from crossdock.db.backups import require_room

    held = require_room(settings.database.url, replace=replace)
    if held and not yes and sys.stdin.isatty():
        what = ", ".join(f"{name}: {count:,}" for name, count in held.items())
        typer.confirm(f"Everything that is there goes ({what}). Go on?", abort=True, err=True)


def _load(file: Path, manifest: "Manifest", *, settings: Settings, replace: bool) -> "Restored":
    from crossdock.commands.server.backup_progress import RowProgress
    from crossdock.db.backups import load_backup, read_keys
    from crossdock.kit.master_key import KeyFile, decode_key

    keys = [decode_key(line, where=f"{file}: master.key") for line in read_keys(file, manifest)]

    def put_keys() -> None:
        if keys and not settings.secrets.master_key:
            KeyFile(settings.server.data_path).adopt(keys)

    with RowProgress() as progress:
        return load_backup(
            file,
            manifest=manifest,
            database_url=settings.database.url,
            replace=replace,
            before_commit=put_keys,
            watcher=progress,
        )


async def _look(runtime: Runtime, *, manifest: "Manifest") -> After:
    """Run the doctor, and check whether the secrets can be decrypted."""
    from crossdock.compose import Services
    from crossdock.kit.master_key import KeyFile
    from crossdock.shop.doctor import examine
    from crossdock.shop.resealing import check_seals

    checks = list(await examine(runtime.database))
    settings = runtime.settings
    if not settings.secrets.master_key and not KeyFile(settings.server.data_path).path.exists():
        return After(checks=checks, master_key="missing")
    seals = await check_seals(runtime.database, box=Services(runtime).box)
    unreadable = sum(seal.unreadable for seal in seals)
    key = "wrong" if unreadable else "restored" if manifest.master_key else "right"
    return After(checks=checks, master_key=key, unreadable=unreadable)


def _told(manifest: "Manifest") -> str:
    made = f"{manifest.created_at:%Y-%m-%d %H:%M:%S} UTC by Crossdock {manifest.crossdock}"
    return (
        f"{counted(manifest.rows, 'row')} of {counted(len(manifest.tables), 'table')}, made {made}"
    )


def _report(file: Path, manifest: "Manifest", *, after: After, settings: Settings) -> str:
    place = settings.server.data_path / "master.key"
    key = _KEYS[after.master_key].format(place=place, count=after.unreadable)
    doctor = (
        "The doctor found nothing wrong."
        if not after.differences
        else f"The doctor found {counted(after.differences, 'difference')}, which the backup had already; "
        "`crossdock doctor` lists them."
    )
    return f"Restored {file}: {_told(manifest)}.\n{key}\n{doctor}"
