"""Decisions about surviving mutants: tools/mutants/verdicts.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutant import Mutant

FILE = Path(__file__).with_name("verdicts.toml")
KINDS = {"equivalent", "accepted"}


@dataclass(frozen=True)
class Verdict:
    """`equivalent`: the difference cannot be observed; `accepted`: it can, but is not worth a test."""

    path: str
    before: str
    after: str
    kind: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The mutant's key."""
        return self.path, self.before, self.after


def read_verdicts(file: Path = FILE) -> dict[tuple[str, str, str], Verdict]:
    """The verdicts by their mutants' keys. Raises ValueError for one without a kind or reason."""
    verdicts = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("verdict", []):
        verdict = Verdict(**entry)
        if verdict.kind not in KINDS or not verdict.reason.strip():
            raise ValueError(f"{verdict.path}: {verdict.before!r} has no kind or no reason")
        verdicts[verdict.key] = verdict
    return verdicts


def outdated(verdicts: dict[tuple[str, str, str], Verdict], mutants: list[Mutant]) -> list[Verdict]:
    """Verdicts on lines that no longer exist."""
    known = {mutant.key for mutant in mutants}
    return [verdict for key, verdict in verdicts.items() if key not in known]
