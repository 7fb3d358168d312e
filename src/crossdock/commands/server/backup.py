"""`crossdock backup`: the whole installation in one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.channels.registry import load_settings
from crossdock.commands.running import require_database
from crossdock.errors import NotFound
from crossdock.kit.numbers import counted
from crossdock.settings import Settings
from crossdock.terminal import JsonOption, report

if TYPE_CHECKING:
    from crossdock.db.backups import Backup


def backup(
    file: Annotated[
        Path, typer.Argument(help="The file to write; an older backup of that name is replaced.")
    ],
    with_master_key: Annotated[
        bool,
        typer.Option(
            "--with-master-key",
            help="Put the master key into the file too: whoever has the file can then read every secret.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the whole database into one file; the server may keep running.

    The file is a consistent snapshot, readable by its owner only, and appears under its name after it
    was verified. Exit code: 0 done, 1 refused or failed, 2 the file cannot be written.
    """
    from crossdock.commands.server.backup_progress import RowProgress, facts_of
    from crossdock.db.backups import require_free, write_backup
    from crossdock.db.embedded import running_database
    from crossdock.db.migrate import require_served

    settings = load_settings()
    require_database(settings)
    _require_folder(file)
    require_free(file)
    with running_database(settings) as running, RowProgress() as progress:
        require_served(running.database.url)
        written = write_backup(
            file,
            database_url=running.database.url,
            now=settings.server.make_clock().now(),
            keys=_keys(settings) if with_master_key else (),
            watcher=progress,
        )
    facts = {"file": written.file, "bytes": written.bytes, **facts_of(written.manifest)}
    report(facts, as_json=as_json, text=_told(written))


def _told(written: "Backup") -> str:
    manifest = written.manifest
    key = (
        "It contains the master key: whoever has the file can read every secret in it. Keep it as you "
        "would keep the key."
        if manifest.master_key
        else "It does not contain the master key, without which its secrets cannot be read: keep a copy "
        "of the key in another place."
    )
    return (
        f"Wrote {written.file}: {counted(manifest.rows, 'row')} of {counted(len(manifest.tables), 'table')}, "
        f"{counted(written.bytes, 'byte')}; read again and found right.\n{key}"
    )


def _require_folder(file: Path) -> None:
    if not file.parent.is_dir():
        raise FileNotFoundError(2, "No such folder", str(file.parent))


def _keys(settings: Settings) -> list[str]:
    """The lines of the master keys, newest first."""
    import base64

    from crossdock.kit.master_key import KeyFile

    secrets = settings.secrets
    if secrets.master_key:
        return [secrets.master_key, *secrets.master_key_older]
    file = KeyFile(settings.server.data_path)
    if not file.path.exists():
        raise NotFound("not_found", f"There is no master key yet: {file.path} does not exist.")
    return [
        *(base64.b64encode(key).decode() for key in file.read()),
        *secrets.master_key_older,
    ]
