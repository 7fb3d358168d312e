"""The law of fail points: between two writes of the core's SQL there is a place where a test can break it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.laws.tree import Finding, Tree

CORE = "src/crossdock/shop/"
_FUNCTION = re.compile(r"create or replace function (\w+)\([^$]*\$\$(.*?)\$\$", re.DOTALL)
_WRITES = re.compile(
    r"\b(?:insert\s+into|delete\s+from)\b|\bupdate\s+\w+(?:\s+\w+)?\s+set\b", re.IGNORECASE
)
_CALLED = re.compile(r"\b([a-z_]+)\(")
_BLOCKS = re.compile(
    r"'(?:[^']|'')*'|\b(?:case|end\s+if|end\s+loop|elsif|else|if|loop|begin|exception|end|then|when)\b|;",
    re.IGNORECASE,
)
_RETURNS = re.compile(r"\s*return\b(?!\s+(?:query|next)\b)", re.IGNORECASE)
_RAISES = re.compile(r"\s*raise\s+exception\b", re.IGNORECASE)
_LEAVES = re.compile(r"\b(?:exit|continue|raise)\s+\Z", re.IGNORECASE)
_NOTES = re.compile(r"--[^\n]*")

Pending = bool | None
"""Whether the last write is followed by no fail point yet; None where nothing goes on from here."""


@dataclass
class _Body:
    """A function's body, as pieces of text and the words of blocks that end them."""

    text: str
    pieces: list[tuple[int, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        start = cases = 0
        for match in _BLOCKS.finditer(self.text):
            word = " ".join(match[0].lower().split())
            if word.startswith("'") or _LEAVES.search(self.text[start : match.start()]):
                continue
            if word == "case" or (word == "end" and cases):
                cases += 1 if word == "case" else -1
            elif not cases:
                self.pieces.append((start, self.text[start : match.start()], word))
                start = match.end()
        self.pieces.append((start, self.text[start:], ";"))


class _Walk:
    """One walk through a body, along every branch; `found` are the places of writes without a fail point before."""

    def __init__(self, body: _Body, functions: "_Functions") -> None:
        self._pieces = body.pieces
        self._functions = functions
        self._at = 0
        self.found: list[int] = []
        self.left: list[Pending] = []

    def run(self, pending: Pending) -> Pending:
        """What is pending after the function, entered with that."""
        while self._at < len(self._pieces):
            pending, _ = self._block(pending)
        return _either(pending, *self.left)

    def _block(self, pending: Pending) -> tuple[Pending, str]:
        """Statements up to the word that ends their block."""
        while self._at < len(self._pieces):
            place, text, word = self._pieces[self._at]
            self._at += 1
            pending = self._piece(place, text, pending)
            if word == "if":
                pending = self._branches(pending)
            elif word == "loop":
                pending = self._loop(pending)
            elif word == "begin":
                pending = self._inner(pending)
            elif word in {"elsif", "else", "end if", "end loop", "exception", "when", "end"}:
                return pending, word
        return pending, ""

    def _branches(self, pending: Pending) -> Pending:
        ends: list[Pending] = []
        word = "elsif"
        while word in {"elsif", "else"}:
            if word == "elsif":
                place, text, _ = self._pieces[self._at]
                self._at += 1
                pending = self._piece(place, text, pending)
            was_else = word == "else"
            after, word = self._block(pending)
            ends.append(after)
            if was_else:
                return _either(*ends)
        return _either(pending, *ends)

    def _loop(self, pending: Pending) -> Pending:
        start = self._at
        once, _ = self._block(pending)
        self._at = start
        again, _ = self._block(once)
        return _either(pending, once, again)

    def _inner(self, pending: Pending) -> Pending:
        """A block with handlers: where one is needed, what the block did is undone."""
        after, word = self._block(pending)
        ends = [after]
        while word in {"exception", "when"}:
            handled, word = self._block(pending)
            ends.append(handled)
        return _either(*ends)

    def _piece(self, place: int, text: str, pending: Pending) -> Pending:
        if pending is None:
            return None
        if "fail_point(" in text:
            pending = False
        elif (writes := self._functions.writes_of(text)) is not None:
            leads, leaves = writes
            if leads and pending:
                self.found.append(place + len(text) - len(text.lstrip()))
            pending = leaves
        if _RETURNS.match(text):
            self.left.append(pending)
            return None
        return None if _RAISES.match(text) else pending


class _Functions:
    """The SQL functions of the core, and what of a write each begins and ends with."""

    def __init__(self, bodies: dict[str, _Body]) -> None:
        self.bodies = bodies
        self._known: dict[str, tuple[bool, bool] | None] = {}

    def writes_of(self, text: str) -> tuple[bool, bool] | None:
        """Whether a piece writes before any fail point, and whether it ends with a write; None if it writes nothing."""
        found = [self._of(name) for name in _CALLED.findall(text) if name in self.bodies]
        parts = [part for part in found if part is not None]
        if _WRITES.search(text):
            parts.append((True, True))
        if not parts:
            return None
        return any(leads for leads, _ in parts), any(leaves for _, leaves in parts)

    def _of(self, name: str) -> tuple[bool, bool] | None:
        if name not in self._known:
            self._known[name] = None  # a function that calls itself adds nothing
            fresh, entered = _Walk(self.bodies[name], self), _Walk(self.bodies[name], self)
            leaves, _ = fresh.run(False), entered.run(True)
            writes = any(self.writes_of(text) for _, text, _ in self.bodies[name].pieces)
            self._known[name] = (bool(entered.found), bool(leaves)) if writes else None
        return self._known[name]


def _either(*ends: Pending) -> Pending:
    going = [end for end in ends if end is not None]
    return any(going) if going else None


def a_fail_point_is_between_two_writes(tree: Tree) -> Iterator[Finding]:
    """Of two statements of an SQL function that write, whatever path leads from one to the other."""
    bodies, places = {}, {}
    for path, text in tree.under(CORE, suffix=".sql"):
        for match in _FUNCTION.finditer(text):
            bodies[match[1]] = _Body(_NOTES.sub(lambda note: " " * len(note[0]), match[2]))
            places[match[1]] = path, text.count("\n", 0, match.start(2)) + 1
    functions = _Functions(bodies)
    for name, body in bodies.items():
        walk = _Walk(body, functions)
        walk.run(False)
        path, first = places[name]
        for place in sorted(set(walk.found)):
            line = first + body.text.count("\n", 0, place)
            yield Finding(path, line, f"{name} writes again without a fail point in between")
