"""The rules that change SQL and PL/pgSQL, by sqlglot's tokens.

| rule | does |
|---|---|
| drop_lock | removes `for update`, `for no key update`, `skip locked`, `nowait` |
| drop_conjunct | removes one condition of a `where`, `on` or `if`, except a join of shop ids |
| compare | `<` and `<=`, `>` and `>=`, `=` and `<>` for each other, `is` for `is not` |
| arithmetic | `+` and `-` for each other |
| and_or | `and` and `or` for each other |
| extremes | `min` and `max`, `least` and `greatest`, `bool_or` and `bool_and` for each other |
| coalesce | removes the default of a `coalesce` |
| constant | 0 for 1, 1 for 2, true for false |
| drop_not | removes a `not` that is none of the above |
| drop_order | removes an `order by` |
| drop_conflict | removes an `on conflict do nothing` |
| drop_statement | replaces a `raise`, `perform`, `insert`, `update` or `delete` of a body by `null` |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import TokenError

from tools.mutants.mutant import Edit

SWAPS = {
    "<": ("compare", "<="), "<=": ("compare", "<"), ">": ("compare", ">="), ">=": ("compare", ">"),
    "<>": ("compare", "="), "+": ("arithmetic", "-"), "-": ("arithmetic", "+"),
    "and": ("and_or", "or"), "or": ("and_or", "and"),
    "min": ("extremes", "max"), "max": ("extremes", "min"),
    "least": ("extremes", "greatest"), "greatest": ("extremes", "least"),
    "bool_or": ("extremes", "bool_and"), "bool_and": ("extremes", "bool_or"),
    "0": ("constant", "1"), "1": ("constant", "2"),
    "true": ("constant", "false"), "false": ("constant", "true"),
}  # fmt: skip
OPENERS = {"where", "on", "if", "elsif", "when", "having"}
CLOSERS = {
    ";", "then", "loop", "else", "end", "when", "where", "on", "group by", "order by", "limit", "offset",
    "returning", "for", "union", "having", "join", "left", "cross", "inner", "do", "from", "as",
}  # fmt: skip
COMPARING = OPENERS | {"and", "or", "not", "(", "select", "then"}
ASSIGNING = {"set", ",", ";"}
NO_NUMBER_AFTER = {"limit", "order by", "[", "->", "->>"}
DROPPED_STATEMENTS = {"raise", "perform", "insert", "update", "delete"}
STATEMENT_STARTS = {";", "begin", "then", "else", "loop"}


@dataclass(frozen=True)
class Word:
    """A token: its text in lower case, its position, and its depth in brackets."""

    text: str
    start: int
    end: int
    depth: int
    is_string: bool


def sql_edits(text: str, *, is_body: bool) -> Iterator[Edit]:
    """Every edit of a piece of SQL; only a PL/pgSQL body has statements to drop."""
    words = read_words(text)
    for rule in RULES:
        yield from rule(words)
    if is_body:
        yield from _drop_statement(words)


def read_words(text: str) -> list[Word]:
    """The tokens of a piece of SQL without comments; none if it cannot be parsed alone."""
    try:
        tokens = Postgres().tokenize(text)
    except TokenError:
        return []
    words, depth = [], 0
    for token in tokens:
        is_string = token.token_type.name == "STRING"
        word = " ".join(token.text.lower().split())
        depth -= not is_string and word in {")", "]"}
        words.append(Word(word, token.start, token.end + 1, depth, is_string))
        depth += not is_string and word in {"(", "["}
    return _without_fail_points(words)


def _without_fail_points(words: list[Word]) -> list[Word]:
    """Leave out fail points, which exist for tests."""
    kept: list[Word] = []
    skipping = False
    for place, word in enumerate(words):
        following = words[place + 1].text if place + 1 < len(words) else ""
        skipping = skipping or (word.text == "assert" and following == "fail_point")
        if not skipping:
            kept.append(word)
        skipping = skipping and word.text != ";"
    return kept


def _swap(words: list[Word]) -> Iterator[Edit]:
    between = 0
    for place, word in enumerate(words):
        if word.is_string:
            continue
        between += word.text == "between"
        if word.text == "and" and between:
            between -= 1
        elif word.text in SWAPS and _is_swappable(words, place):
            rule, other = SWAPS[word.text]
            yield Edit(word.start, word.end, other, rule)


def _is_swappable(words: list[Word], place: int) -> bool:
    """Whether the number matters: no sign, no position in `order by`, no limit, not `select 1 from`."""
    before = words[place - 1] if place else None
    if words[place].text in {"0", "1"}:
        return (
            before is not None
            and before.text not in NO_NUMBER_AFTER
            and not _is_select_1(words, place)
        )
    if words[place].text in {"+", "-"}:
        return before is not None and (before.text not in {"(", ",", "=", "then", "else"})
    return place > 0


def _is_select_1(words: list[Word], place: int) -> bool:
    """Whether it is `select 1 from`, in which the number does not matter."""
    around = [word.text for word in words[place - 1 : place + 2]]
    return around in (["select", "1", "from"], ["perform", "1", "from"])


def _compare_equal(words: list[Word]) -> Iterator[Edit]:
    """Whether `=` is a comparison: not in a `set`, and not an assignment."""
    for place, word in enumerate(words):
        if word.text == "=" and not word.is_string and _opener(words, place) in COMPARING:
            yield Edit(word.start, word.end, "<>", "compare")


def _opener(words: list[Word], place: int) -> str:
    """The clause of an expression: the nearest such word before it, or the bracket."""
    depth = words[place].depth
    for other in reversed(words[:place]):
        if other.depth < depth or (other.depth == depth and other.text in COMPARING | ASSIGNING):
            return other.text
    return ""


def _negate(words: list[Word]) -> Iterator[Edit]:
    for place, word in enumerate(words):
        before = words[place - 1].text if place else ""
        following = words[place + 1].text if place + 1 < len(words) else ""
        if word.text == "is":
            if following == "not":
                yield Edit(word.end, words[place + 1].end, "", "compare")
            else:
                yield Edit(word.end, word.end, " not", "compare")
        elif word.text == "not" and before != "is":
            yield Edit(word.start, word.end, "", "drop_not")


def _drop_lock(words: list[Word]) -> Iterator[Edit]:
    texts = [word.text for word in words]
    for place, text in enumerate(texts):
        if text in {"skip", "nowait"}:
            last = place + (text == "skip")
            if texts[place : last + 1] in (["skip", "locked"], ["nowait"]):
                yield Edit(words[place].start, words[last].end, "", "drop_lock")
        if text != "for":
            continue
        for lock in (["update"], ["no", "key", "update"], ["share"], ["key", "share"]):
            if texts[place + 1 : place + 1 + len(lock)] == lock:
                last = _lock_end(texts, place + len(lock))
                yield Edit(words[place].start, words[last].end, "", "drop_lock")


def _lock_end(texts: list[str], last: int) -> int:
    """The last word of a lock whose mode ends there: of which tables, and whether it waits."""
    if texts[last + 1 : last + 2] == ["of"]:
        last += 2
        while texts[last + 1 : last + 2] == [","]:
            last += 2
    last += 2 * (texts[last + 1 : last + 3] == ["skip", "locked"])
    return last + (texts[last + 1 : last + 2] == ["nowait"])


def _drop_conjunct(words: list[Word]) -> Iterator[Edit]:
    for place, word in enumerate(words):
        is_first = place == 0 and word.text == "and"
        following = words[place + 1].text if place + 1 < len(words) else ""
        if word.is_string or not (word.text in OPENERS or is_first) or following == "conflict":
            continue
        clause = words[place + 1 : _clause_end(words, place)]
        parts = _conjuncts(clause, depth=word.depth)
        if len(parts) == 1 and word.text in {"where", "and"}:
            yield Edit(word.start, parts[0][-1].end, "", "drop_conjunct")
        if len(parts) == 1 and word.text == "on":
            yield Edit(parts[0][0].start, parts[0][-1].end, "true", "drop_conjunct")
        for number, part in enumerate(parts) if len(parts) > 1 else ():
            if _joins_shops(part):
                continue
            start = part[0].start if number == 0 else parts[number - 1][-1].end
            end = parts[1][0].start if number == 0 else part[-1].end
            yield Edit(start, end, "", "drop_conjunct")


def _joins_shops(part: list[Word]) -> bool:
    """`a.shop_id = b.shop_id`: needed only for the index, because ids are unique over all shops."""
    texts = [word.text for word in part]
    return len(texts) == 7 and texts[1:4] == [".", "shop_id", "="] and texts[5:] == [".", "shop_id"]


def _clause_end(words: list[Word], place: int) -> int:
    """The end of the clause that a word begins; the words of a `case` end no clause."""
    depth, cases = words[place].depth, 0
    for end in range(place + 1, len(words)):
        word = words[end]
        if word.depth < depth:
            return end
        if word.depth > depth or word.is_string:
            continue
        is_distinct = word.text == "from" and words[end - 1].text == "distinct"
        if word.text in CLOSERS and not cases and not is_distinct:
            return end
        cases += (word.text == "case") - (word.text == "end")
    return len(words)


def _conjuncts(clause: list[Word], *, depth: int) -> list[list[Word]]:
    """The conditions that `and` joins; none if an `or` is among them."""
    parts: list[list[Word]] = [[]]
    between = cases = 0
    for word in clause:
        is_here = word.depth == depth and not word.is_string
        cases += is_here and word.text == "case"
        if is_here and word.text == "or":
            return []
        between += is_here and word.text == "between"
        if is_here and word.text == "and" and not between:
            parts.append([])
            continue
        between -= is_here and word.text == "and"
        parts[-1].append(word)
    return [] if cases or not all(parts) else parts


def _coalesce(words: list[Word]) -> Iterator[Edit]:
    for place, word in enumerate(words[:-1]):
        if word.text != "coalesce" or words[place + 1].text != "(":
            continue
        inside = words[place + 1].depth
        commas: list[Word] = []
        for other in words[place + 2 :]:
            if other.text == ")" and other.depth == inside:
                if commas:
                    yield Edit(commas[-1].start, other.start, "", "coalesce")
                break
            if other.text == "," and other.depth == inside + 1:
                commas.append(other)


def _drop_order(words: list[Word]) -> Iterator[Edit]:
    for place, word in enumerate(words):
        if word.text == "order by" and not word.is_string:
            end = _clause_end(words, place)
            yield Edit(word.start, words[end - 1].end, "", "drop_order")


def _drop_conflict(words: list[Word]) -> Iterator[Edit]:
    texts = [word.text for word in words]
    for place in range(len(words) - 1):
        if texts[place : place + 2] == ["on", "conflict"]:
            for end in range(place + 2, len(words) - 1):
                if texts[end : end + 2] == ["do", "nothing"]:
                    yield Edit(words[place].start, words[end + 1].end, "", "drop_conflict")
                if texts[end] in {"do", ";"}:
                    break


def _drop_statement(words: list[Word]) -> Iterator[Edit]:
    for place, word in enumerate(words):
        before = words[place - 1].text if place else ""
        if word.text in DROPPED_STATEMENTS and before in STATEMENT_STARTS and word.depth == 0:
            end = next((other for other in words[place:] if other.text == ";"), None)
            if end is not None:
                yield Edit(word.start, end.start, "null", "drop_statement")


Rule = Callable[[list[Word]], Iterator[Edit]]
RULES: tuple[Rule, ...] = (
    _swap, _compare_equal, _negate, _drop_lock, _drop_conjunct, _coalesce, _drop_order, _drop_conflict,
)  # fmt: skip
