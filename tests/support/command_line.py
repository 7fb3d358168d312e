"""`crossdock` commands on the data of a running server, or on a database of their own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import typer

from crossdock.cli import app
from tests.support.processes import environment, run_command

TIMEOUT_S = 60


def every_command() -> dict[str, set[str]]:
    """Every command that can be run, such as 'partner add', with its options."""
    return _leaves(typer.main.get_command(app))


def _leaves(command: Any, *path: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if hasattr(command, "commands"):
        for name, each in command.commands.items():
            found |= _leaves(each, *path, name)
        return found
    return {" ".join(path): {option for each in command.params for option in each.opts}}


class CommandLine:
    """Runs commands with one data folder and database; each is a process of its own."""

    def __init__(self, *, data_dir: Path, database_url: str, **settings: object) -> None:
        self.data_dir = data_dir
        self.settings = {"data_dir": data_dir, "database_url": database_url, **settings}
        data_dir.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The command's end, whatever its exit code."""
        return run_command(*map(str, arguments), settings=self.settings, timeout_s=TIMEOUT_S)

    def ask(self, *arguments: object) -> Any:
        """What a command that must succeed prints with --json."""
        ended = self.run(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def refuse(self, *arguments: object) -> str:
        """What a command that must fail with exit code 1 tells; it prints nothing else."""
        ended = self.run(*arguments)
        assert ended.returncode == 1, ended.stdout
        assert ended.stdout == ""
        assert "Traceback" not in ended.stderr
        return ended.stderr

    def shell(self, script: str, *, program: str = "bash") -> str:
        """What a shell script prints, run where this command line would be."""
        ended = subprocess.run(
            [program, "-eu"], input=script, env={**environment(**self.settings), "PATH": os.environ["PATH"]},
            cwd=self.data_dir, check=False, capture_output=True, text=True, timeout=TIMEOUT_S,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout
