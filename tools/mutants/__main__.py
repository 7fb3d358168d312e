"""Run mutants: `python -m tools.mutants`, all of them or a sample; see CONTRIBUTING.md."""

import argparse
import json
import random
import signal
import sys
import time
from pathlib import Path

import psycopg

from tools.mutants.ground import TEMPLATE, Ground, prepared
from tools.mutants.leading import leading
from tools.mutants.mutant import Mutant
from tools.mutants.reaching import Chosen, Reached, Recorder, noticed_by, read_reached
from tools.mutants.report import Outcome, Verdicts, failing_test, faults, is_not_taken, write_report
from tools.mutants.targets import noticing, read_mutants
from tools.mutants.verdicts import outdated, read_verdicts

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
TIMEOUT_S = 900.0
MEASURED_S = 3600.0
TIMES_SLOWER = 3
SLOWER_S = 20.0
FAILED_MAX = 5  # on a busy machine one may fail that waits for others
NOT_SLOW = "not slow"
RACES_ALONE = f"races and {NOT_SLOW}"


def main() -> int:
    """Test the mutants; 1 if one survives without a verdict or a module is below the floor."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    options = _options()
    mutants = list(read_mutants(ROOT, only=options.only))
    chosen = _chosen(mutants, options)
    verdicts = read_verdicts()
    if options.list:
        for mutant in chosen:
            _say(f"{mutant.path}:{mutant.line}: {mutant.rule}: {mutant.before} -> {mutant.after}")
        return 0
    found = _try_all(chosen, verdicts, options)
    is_whole = len(found) == len(mutants)
    wrong = faults(found, verdicts, is_whole=is_whole)
    if is_whole and not options.only:
        wrong += [
            f"{v.path}: no such mutant any more: {v.before}" for v in outdated(verdicts, mutants)
        ]
    _say(write_report(BUILD, found, verdicts))
    for line in wrong:
        _say(line)
    return 1 if wrong else 0


def _try_all(
    chosen: list[Mutant], verdicts: Verdicts, options: argparse.Namespace
) -> list[Outcome]:
    """Test all mutants, and report each outcome at once."""
    found: list[Outcome] = []
    with prepared(ROOT) as ground:
        reached = None if options.passing else _measured(ground, chosen)
        started = time.monotonic()
        for number, mutant in enumerate(chosen, start=1):
            if options.budget and time.monotonic() - started > options.budget:
                _say(f"the budget of {options.budget:.0f} s is used up")
                break
            found.append(_try(ground, mutant, reached=reached))
            _say(f"{number}/{len(chosen)} {found[-1].told()}")
            if number == 1:
                ground.warm()
            write_report(BUILD, found, verdicts)
    return found


def _measured(ground: Ground, mutants: list[Mutant]) -> list[Reached]:
    """What each test reaches on unchanged code, and its time. Raises SystemExit if many fail there."""
    tests = list(
        dict.fromkeys(test for mutant in mutants for test in noticing(ground.root, mutant))
    )
    file = ground.root / "build" / "reached.json"
    recorder = Recorder(ground.root, file)
    marked = RACES_ALONE if all(mutant.drops_a_lock for mutant in mutants) else NOT_SLOW
    passed = ground.passes(
        tests, template=TEMPLATE, timeout_s=MEASURED_S, marked=marked, plugin=recorder
    )
    reached, failed = read_reached(file) if file.exists() else ([], [])
    if len(failed) > FAILED_MAX or not (passed or failed):
        raise SystemExit(f"{ground.log()}\nthe tests do not pass on unbroken code")
    for test in failed:
        _say(f"{test} fails on unbroken code, and is left out")
    ground.warm()
    return reached


def _try(ground: Ground, mutant: Mutant, *, reached: list[Reached] | None) -> Outcome:
    started = time.monotonic()
    files, chosen = noticing(ground.root, mutant), None
    if reached is not None:
        chosen = noticed_by(files, reached, leading(ground.root, mutant))
    try:
        with ground.with_mutant(mutant) as template:
            fate = _fate(ground, mutant, template=template, files=files, chosen=chosen)
    except psycopg.Error:
        fate = "invalid"
    by = failing_test(ground.log()) if fate == "killed" else ""
    return Outcome(mutant, fate, time.monotonic() - started, by)


def _fate(
    ground: Ground, mutant: Mutant, *, template: str, files: list[str], chosen: list[Reached] | None
) -> str:
    """What the tests say; a statement that PostgreSQL does not take is no mutant."""
    plugin, timeout_s = None, TIMEOUT_S
    if chosen is not None:
        plugin = Chosen([test.test for test in chosen])
        files = list(dict.fromkeys(test.file for test in chosen))
        timeout_s = sum(test.seconds for test in chosen) * TIMES_SLOWER + SLOWER_S
    marked = RACES_ALONE if mutant.drops_a_lock else NOT_SLOW
    if not files or ground.passes(
        files, template=template, timeout_s=timeout_s, marked=marked, plugin=plugin
    ):
        return "survived"
    return "invalid" if is_not_taken(ground.log()) else "killed"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a part such as shop/stock")
    parser.add_argument("--rule", action="append", default=[], help="one such as drop_lock")
    parser.add_argument("--sample", type=int, default=0, help="so many of them, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="which chance")
    parser.add_argument("--budget", type=float, default=0, help="stop after so many seconds")
    parser.add_argument("--passing", action="store_true", help="the tests passed a moment ago")
    parser.add_argument(
        "--again", action="store_true", help="only those that survived the last run"
    )
    parser.add_argument("--list", action="store_true", help="print them and try none")
    return parser.parse_args()


def _chosen(mutants: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    if options.rule:
        mutants = [mutant for mutant in mutants if mutant.rule in options.rule]
    if options.again:
        rows = json.loads((BUILD / "mutants.json").read_text(encoding="utf-8"))
        keys = {(r["path"], r["before"], r["after"]) for r in rows if r["fate"] == "survived"}
        mutants = [mutant for mutant in mutants if mutant.key in keys]
    if not mutants:
        raise SystemExit("there is nothing to break: see --list")
    if options.sample and options.sample < len(mutants):
        return random.Random(options.seed).sample(mutants, options.sample)
    return mutants


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
