"""Run mutants: `python -m tools.mutants`, all of them or a sample; see CONTRIBUTING.md."""

import argparse
import json
import random
import sys
import time
from pathlib import Path

import psycopg

from tools.mutants.ground import TEMPLATE, Ground, prepared
from tools.mutants.mutant import Mutant
from tools.mutants.report import Outcome, faults, write_report
from tools.mutants.targets import noticing, read_mutants
from tools.mutants.verdicts import outdated, read_verdicts

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BASELINE_TIMEOUT_S = 600.0
TIMES_SLOWER = 5
SLOWER_S = 20.0


def main() -> int:
    """Try the mutants; 1 where one survives without a verdict or a module is below the floor."""
    options = _options()
    mutants = list(read_mutants(ROOT, only=options.only))
    if not mutants:
        raise SystemExit(f"there is nothing to break in {' '.join(options.only)}")
    verdicts = read_verdicts()
    if options.list:
        for mutant in mutants:
            _say(f"{mutant.path}:{mutant.line}: {mutant.rule}: {mutant.before} -> {mutant.after}")
        return 0
    chosen = _chosen(mutants, options)
    found: list[Outcome] = []
    with prepared(ROOT) as ground:
        baselines = Baselines(ground)
        for number, mutant in enumerate(chosen, start=1):
            if options.budget and time.monotonic() - baselines.started > options.budget:
                _say(f"the budget of {options.budget} s is used up after {number - 1} mutants")
                break
            outcome = _try(ground, baselines, mutant)
            found.append(outcome)
            _say(f"{number}/{len(chosen)} {outcome.told()}")
            write_report(BUILD, found, verdicts)
    is_whole = not (options.sample or options.budget or options.again)
    wrong = faults(found, verdicts, is_whole=is_whole)
    if is_whole and not options.only:
        wrong += [
            f"{v.path}: no such mutant any more: {v.before}" for v in outdated(verdicts, mutants)
        ]
    _say(write_report(BUILD, found, verdicts))
    for line in wrong:
        _say(line)
    return 1 if wrong else 0


class Baselines:
    """How long tests take on unbroken code. Raises RuntimeError where they do not pass there."""

    def __init__(self, ground: Ground) -> None:
        self.started = time.monotonic()
        self._ground = ground
        self._seconds: dict[tuple[str, ...], float] = {}

    def timeout_s(self, tests: list[str]) -> float:
        """How long they may take on a mutant: an endless loop is as good as a failure."""
        key = tuple(tests)
        if key not in self._seconds:
            started = time.monotonic()
            if not self._ground.passes(tests, template=TEMPLATE, timeout_s=BASELINE_TIMEOUT_S):
                raise RuntimeError(f"{' '.join(tests)} do not pass unbroken:\n{self._ground.log()}")
            self._seconds[key] = time.monotonic() - started
            self._ground.warm()
        return self._seconds[key] * TIMES_SLOWER + SLOWER_S


def _try(ground: Ground, baselines: Baselines, mutant: Mutant) -> Outcome:
    tests = noticing(ground.root, mutant)
    timeout_s = baselines.timeout_s(tests)
    started = time.monotonic()
    try:
        with ground.with_mutant(mutant) as template:
            passed = ground.passes(tests, template=template, timeout_s=timeout_s)
    except psycopg.Error:
        return Outcome(mutant, "invalid", time.monotonic() - started)
    return Outcome(mutant, "survived" if passed else "killed", time.monotonic() - started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a part such as shop/stock")
    parser.add_argument("--sample", type=int, default=0, help="so many of them, chosen by chance")
    parser.add_argument("--seed", type=int, default=1, help="which chance")
    parser.add_argument("--budget", type=float, default=0, help="stop after so many seconds")
    parser.add_argument(
        "--again", action="store_true", help="only those that survived the last run"
    )
    parser.add_argument("--list", action="store_true", help="print them and try none")
    return parser.parse_args()


def _chosen(mutants: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    if options.again:
        rows = json.loads((BUILD / "mutants.json").read_text(encoding="utf-8"))
        keys = {(r["path"], r["before"], r["after"]) for r in rows if r["fate"] == "survived"}
        mutants = [mutant for mutant in mutants if mutant.key in keys]
    if options.sample and options.sample < len(mutants):
        return random.Random(options.seed).sample(mutants, options.sample)
    return mutants


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
