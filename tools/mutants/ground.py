"""Where mutants are tested: a copy of the repository, and a PostgreSQL with a template database."""

import contextlib
import gc
import importlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.migrate import migrate
from tests.support.memory import keep_in_memory
from tests.support.postgres import with_database
from tools.mutants.mutant import Mutant
from tools.mutants.reaching import Chosen, Recorder

TEMPLATE = "mutants_template"
MUTATED = "mutants_mutated"
NICE = 15
NO_TESTS = 5  # pytest's code where every test was deselected
_OWN = {"crossdock", "tests", "tools", "proof", "conftest"}


@dataclass
class Ground:
    """A copy of the repository, and the URL of a server on which tests create databases."""

    root: Path
    url: str
    runs: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextlib.contextmanager
    def with_mutant(self, mutant: Mutant) -> Iterator[str]:
        """Apply a mutant; yields the name of the template to use. Raises psycopg.Error for invalid SQL."""
        if mutant.path.endswith(".sql"):
            _clone(self.url, MUTATED, template=TEMPLATE)
            with psycopg.connect(with_database(self.url, MUTATED), autocommit=True) as connection:
                connection.execute(mutant.text.encode())
            yield MUTATED
            return
        path = self.root / mutant.path
        original = path.read_text(encoding="utf-8")
        try:
            self._write(path, mutant.text)
            yield TEMPLATE
        finally:
            self._write(path, original)

    def passes(
        self,
        tests: list[str],
        *,
        template: str,
        timeout_s: float,
        marked: str,
        plugin: Chosen | Recorder | None = None,
    ) -> bool:
        """Whether all tests pass in time, in a child process that has imported the libraries already."""
        child = os.fork()
        if child == 0:
            arguments = ["-m", marked, *tests]
            _run_tests(self, arguments, template=template, plugins=[plugin] if plugin else [])
        ended = time.monotonic() + timeout_s
        while time.monotonic() < ended:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status) in {0, NO_TESTS}
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    def warm(self) -> None:
        """Import the libraries that the last tests imported, so that child processes need not."""
        for name in (self.root / "build" / "modules").read_text().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        gc.collect()
        gc.freeze()

    def log(self) -> str:
        """The output of the last tests."""
        return self.log_file.read_text(errors="replace")

    @property
    def log_file(self) -> Path:
        """Where the output is kept."""
        return self.root / "build" / "mutant.log"

    def _write(self, path: Path, text: str) -> None:
        """Write a file with a new modification time, so that no older byte code is used for it."""
        path.write_text(text, encoding="utf-8")
        moment = time.time() + next(self.runs)
        os.utime(path, (moment, moment))


@contextlib.contextmanager
def prepared(repository: Path) -> Iterator[Ground]:
    """Provide a copy and a server for a run; this process lowers its priority."""
    os.nice(NICE)
    with tempfile.TemporaryDirectory(prefix="crossdock-mutants-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _copy(repository, folder / "tree")
        keep_in_memory(folder / "postgres")
        with EmbeddedPostgres(folder / "postgres", temporary=True) as server:
            url = server.url("postgres")
            _clone(url, TEMPLATE, template="template0")
            migrate(with_database(url, TEMPLATE))
            yield Ground(folder / "tree", url)


def _run_tests(
    ground: Ground, arguments: list[str], *, template: str, plugins: list[Chosen | Recorder]
) -> None:
    """Run pytest on the copy in this process, which has not imported our code; never returns."""
    code, root = 70, ground.root
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(root)
        with ground.log_file.open("wb") as output, Path(os.devnull).open() as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        for module in [m for m in sys.modules if m.split(".")[0] in _OWN]:
            del sys.modules[module]
        sys.path[:0] = [str(root / "src"), str(root)]
        os.environ |= {
            "PYTHONPATH": str(root / "src"),
            "CROSSDOCK_DATABASE_URL": ground.url,
            "CROSSDOCK_TEST_TEMPLATE": template,
        }
        import hypothesis
        import pytest

        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # a failure is enough
        hypothesis.settings.register_profile("mutants", phases=phases, database=None, deadline=None)
        options = [
            "-x",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            "--hypothesis-profile=mutants",
            f"--rootdir={root}",
        ]
        for plugin in plugins:
            if isinstance(plugin, Recorder):
                plugin.start()
                options.remove("-x")
        code = int(pytest.main([*options, *arguments], plugins=plugins))
        foreign = sorted(m for m in sys.modules if m.split(".")[0] not in _OWN)
        (root / "build" / "modules").write_text("\n".join(foreign))
    finally:
        os._exit(code)


def _clone(url: str, name: str, *, template: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        connection.execute(drop)
        create = sql.SQL("create database {} template {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))


def _copy(repository: Path, target: Path) -> None:
    """Copy what git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=repository, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (repository / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(repository / name, target / name)
    (target / "build").mkdir(exist_ok=True)
