"""A mutant: one edit of one file."""

from dataclasses import dataclass

SHOWN_MAX = 500


@dataclass(frozen=True)
class Edit:
    """Replaces the text from `start` up to `end`, by the rule of that name."""

    start: int
    end: int
    text: str
    rule: str


@dataclass(frozen=True)
class Mutant:
    """A file with one edit. `before` and `after` are the changed lines, without their indent.

    They identify the mutant in the verdicts, because they do not change when lines are added above.
    """

    path: str
    line: int
    rule: str
    before: str
    after: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of its verdict."""
        return self.path, self.before, self.after

    @property
    def drops_a_lock(self) -> bool:
        """Whether only a test of a race can detect it."""
        return self.rule == "drop_lock"


def mutate(path: str, source: str, edit: Edit) -> Mutant:
    """The file at that path, with the edit."""
    first = source.rfind("\n", 0, edit.start) + 1
    last = source.find("\n", edit.end)
    last = len(source) if last < 0 else last
    text = source[: edit.start] + edit.text + source[edit.end :]
    return Mutant(
        path=path,
        line=source.count("\n", 0, edit.start) + 1,
        rule=edit.rule,
        before=_shown(source[first:last]),
        after=_shown(text[first : last + len(text) - len(source)]),
        text=text,
    )


def _shown(lines: str) -> str:
    return " ".join(lines.split())[:SHOWN_MAX]
