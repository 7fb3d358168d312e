"""Runs `films.py` in a process of its own, in a folder of its own, with a time limit.

A folder is held by a lock that ends with its process; whoever makes one removes those that nobody holds.
"""

import asyncio
import fcntl
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ORIGINAL, COVER, MASTER = "original.mp4", "cover.jpg", "master.m3u8"
"""The files that the program writes, beside those of the renditions."""
_PROGRAM = "crossdock.kit.films"
_ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"),
)
"""What the program is given of this process: none of the settings, whose secrets a film has no business with."""
_LOCK = ".lock"


class FilmRefused(Exception):
    """What is wrong with a film, for people."""


class FilmTimeout(Exception):
    """It took too long."""


class FilmBroken(Exception):
    """The program ended without an answer."""


async def run_film(
    verb: str,
    film: Path,
    folder: Path,
    *,
    options: Mapping[str, Any],
    deadline_s: float,
    told: Callable[[int], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """What the program answers; `told` gets the progress in percent.

    Raises FilmRefused, FilmTimeout, FilmBroken, and OSError where the disk is full or no process can be
    started; the program has ended then.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _PROGRAM, verb, str(film), str(folder), json.dumps(options)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(deadline_s):
            async for line in process.stdout:
                answer = json.loads(line)
                if "progress" in answer:
                    if told is not None:
                        await told(answer["progress"])
                elif "refused" in answer:
                    raise FilmRefused(answer["refused"])
                elif "full" in answer:
                    raise OSError(answer["full"], os.strerror(answer["full"]))
                else:
                    done: dict[str, Any] = answer["done"]
                    return done
    except TimeoutError as error:
        raise FilmTimeout(f"it takes more than {deadline_s:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    raise FilmBroken("the program that reads films ended without an answer")


@contextmanager
def film_folder(root: Path) -> Iterator[Path]:
    """A new folder below `root`, removed in the end."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        for other in root.iterdir():
            if other.is_dir() and not _is_held(other):
                shutil.rmtree(other, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=root))
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


def _is_held(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
