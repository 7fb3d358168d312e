"""`make run` on a bare machine: what is missing is said, and the verbs are there."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def fake_python(folder: Path, *, refuses: str) -> Path:
    """Write a program that takes the place of Python and fails for code that holds a word."""
    program = folder / "fakepython"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *{refuses}*) exit 1 ;; *print*) echo 3.12 ;; esac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def install(folder: Path, *, python: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(ROOT / "tools/install.sh"), "requirements.lock", ".venv/installed-runtime-1"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_refused_by_name(tmp_path: Path) -> None:
    python = fake_python(tmp_path, refuses="version_info")

    answer = install(tmp_path, python=python)

    assert answer.returncode == 1
    assert "needs Python 3.11 or newer" in answer.stderr
    assert str(python) in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_missing_ensurepip_names_the_package_to_install(tmp_path: Path) -> None:
    answer = install(tmp_path, python=fake_python(tmp_path, refuses="ensurepip"))

    assert answer.returncode == 1
    assert "apt-get install python3.12-venv" in answer.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize("verb", ["run", "test", "check", "proof", "bench", "docs", "clean"])
def test_make_alone_lists_the_verb(verb: str) -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert f"make {verb} " in shown


def test_make_run_hands_on_port_and_data_folder() -> None:
    command = ["make", "--dry-run", "run", "PORT=9000", "DATA_DIR=elsewhere"]

    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "CROSSDOCK_DATA_DIR='elsewhere' exec .venv/bin/crossdock run --port 9000" in shown


@pytest.mark.parametrize(
    "lock", ["requirements.lock", "requirements-dev.lock", "requirements-moto.lock"]
)
def test_every_pinned_package_has_hashes(lock: str) -> None:
    entries = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()

    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_locks_agree() -> None:
    runtime, dev = (
        {
            line.split(" ")[0]
            for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()
            if "==" in line
        }
        for lock in ("requirements.lock", "requirements-dev.lock")
    )

    assert runtime - dev == set()
