"""Load from a generator in C: Debian's `wrk` sends requests that were signed beforehand.

Generator, server and database share the machine, so the generator must cost almost nothing.
"""

import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("generator.lua")
TIMEOUT_S = 30
PREPARED_PER_S = 4_000  # more than the server answers in a second
CREATED = 201
MISSING = "wrk is not installed, and B3 and B4 have no load without it: apt-get install wrk"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The result of sending: answers, response times, and the generator's processor time."""

    answers: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def send(
    port: int, requests: Sequence[bytes], *, folder: Path, status: int, seconds: int, lanes: int
) -> Sent:
    """Send for so many seconds over `lanes` keep-alive connections, each request at most once.

    Raises RuntimeError if an answer has another status, a connection is lost, or the requests run
    out; FileNotFoundError if wrk is not installed.
    """
    program = shutil.which("wrk")
    if program is None:
        raise FileNotFoundError(MISSING)
    file = folder / "requests"
    file.write_bytes(b"".join(b"%d\n%b" % (len(one), one) for one in requests))
    before = children_cpu_s()
    result = subprocess.run(
        [
            *(program, "--threads", "1", "--connections", str(lanes), "--duration", f"{seconds}s"),
            *("--timeout", f"{TIMEOUT_S}s", "--script", str(SCRIPT)),
            *(f"http://127.0.0.1:{port}", "--", str(file), str(status)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    cpu_s = children_cpu_s() - before
    file.unlink()
    return _read(result, count=len(requests), cpu_s=cpu_s)


def children_cpu_s() -> float:
    """Processor seconds of the ended child processes of this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(result: subprocess.CompletedProcess[str], *, count: int, cpu_s: float) -> Sent:
    _, found, figures = result.stdout.partition("\nfound ")
    if not found:
        raise RuntimeError(f"wrk: {result.stdout[-500:]} {result.stderr[-500:]}")
    numbers, _, sample = figures.partition("\nsample ")
    duration_us, answers, unexpected, lost, ran_out, p50_us, p99_us = map(int, numbers.split())
    if unexpected or lost:
        raise RuntimeError(f"{unexpected} other answers, {lost} lost: {sample.strip()}")
    if not answers:
        raise RuntimeError("no answer came in time")
    if ran_out:
        raise RuntimeError(f"{count} requests did not last: raise PREPARED_PER_S")
    return Sent(
        answers=answers,
        seconds=duration_us / 1e6,
        p50_ms=p50_us / 1000,
        p99_ms=p99_us / 1000,
        cpu_s=cpu_s,
    )
