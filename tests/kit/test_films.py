"""The program that reads films..."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crossdock.kit.film_processes import ORIGINAL, FilmBroken, film_folder, run_film
from tests.support.films import film

WORKER = """
import asyncio, sys
from pathlib import Path
from crossdock.kit.film_processes import film_folder, run_film

async def told(percent):
    print(percent, flush=True)

async def main():
    with film_folder(Path(sys.argv[1])) as folder:
        options = {"edges": [240, 480], "seconds": 6}
        await run_film("render", Path(sys.argv[2]), folder, options=options, deadline_s=90, told=told)

asyncio.run(main())
"""
ENDS_S = 60


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()]


def test_ends_with_the_process_that_ran_it_and_its_folder_is_removed(tmp_path: Path) -> None:
    root, source = tmp_path / "films", tmp_path / "film.mp4"
    source.write_bytes(film(seconds=6, size=(640, 480)))
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(root), str(source)],
        stdout=subprocess.PIPE,
        env={**os.environ, "CROSSDOCK_MASTER_KEY": "hunter2"},
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"0\n"
        [program] = children(worker.pid)
        ended = os.pidfd_open(program)
        assert b"hunter2" not in Path(f"/proc/{program}/environ").read_bytes()
        [folder] = [each for each in root.iterdir() if each.is_dir()]
        with film_folder(root):
            assert folder.is_dir()  # it is held
        worker.send_signal(signal.SIGKILL)
    readable, _, _ = select.select([ended], [], [], ENDS_S)
    os.close(ended)

    assert readable == [ended]
    assert folder.is_dir()
    with film_folder(root) as mine:
        assert [each for each in root.iterdir() if each.is_dir()] == [mine]
    assert not mine.exists()


async def test_that_ends_without_an_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(FilmBroken):
        await run_film("examine", tmp_path / "none.mp4", tmp_path, options={}, deadline_s=ENDS_S)


async def test_tells_a_full_disk_from_a_bad_film(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(film(seconds=1))
    (tmp_path / ORIGINAL).symlink_to("/dev/full")
    options = {"seconds_max": 9, "pixels_max": 320 * 240}

    with pytest.raises(OSError, match="No space left"):
        await run_film("examine", source, tmp_path, options=options, deadline_s=ENDS_S)


async def test_turns_a_film_upright_and_says_so(tmp_path: Path) -> None:
    straight, turned = tmp_path / "a.mp4", tmp_path / "b.mp4"
    body = film(seconds=1, size=(320, 240))
    straight.write_bytes(body)
    # The matrix of the picture's track (ISO 14496-12, 8.3.2): a quarter turn clockwise.
    plain = b"".join(n.to_bytes(4, "big") for n in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    quarter = b"".join(
        n.to_bytes(4, "big", signed=True)
        for n in (0, 0x10000, 0, -0x10000, 0, 0, 240 << 16, 0, 0x40000000)
    )
    at = body.index(plain, body.index(b"tkhd"))
    turned.write_bytes(body[:at] + quarter + body[at + len(plain) :])
    options = {"seconds_max": 9, "pixels_max": 320 * 240}

    sizes = []
    for path in (straight, turned):
        done = await run_film("examine", path, tmp_path, options=options, deadline_s=ENDS_S)
        sizes.append((done["width"], done["height"]))
    assert sizes == [(320, 240), (240, 320)]
    rendering = {"edges": [240], "seconds": 1}
    done = await run_film("render", turned, tmp_path, options=rendering, deadline_s=ENDS_S)
    assert done == {"sizes": [[240, 240, 320]]}
