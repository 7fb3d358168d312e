"""Laws about Python and SQL source."""

import ast
import re
from collections.abc import Iterator

from tools.laws.tree import PYTHON_FOLDERS, Finding, Tree

SRC = "src/crossdock/"
FILE_LINES = 400
FUNCTION_LINES = 70
VAGUE_WORDS = {"util", "utils", "helper", "helpers", "common", "manager"}
CHANCE_AND_CLOCK = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "os.urandom",
}
CHANCE_MODULES = {"random", "secrets"}
TRANSACTION_CALLS = {"all", "one", "value", "run", "execute", "executemany", "copy"}
SETTINGS = "crossdock.settings"
OPEN_ENDS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME"]) + r")\b")
SQL_START = re.compile(r"\s*(select|insert|update|delete|with|merge|copy)\s", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files_are_short(tree: Tree) -> Iterator[Finding]:
    """A source file has at most 400 lines; migrations and vendored assets are exempt."""
    for path, text in tree.under(SRC):
        if not path.endswith((".py", ".sql", ".js", ".css", ".html")):
            continue
        if "/migrations/" in path or "/vendor/" in path:
            continue
        lines = text.count("\n")
        if lines > FILE_LINES:
            yield Finding(path, 1, f"{lines} lines; more than {FILE_LINES}: split it by verb")


def functions_are_short(tree: Tree) -> Iterator[Finding]:
    """A function has at most 70 lines."""
    for path, module in tree.modules(*PYTHON_FOLDERS):
        for function in _functions(module):
            lines = (function.end_lineno or function.lineno) - function.lineno + 1
            if lines > FUNCTION_LINES:
                message = f"{function.name} has {lines} lines; more than {FUNCTION_LINES}"
                yield Finding(path, function.lineno, message)


def names_say_something(tree: Tree) -> Iterator[Finding]:
    """No file, folder, class or function has a name without a meaning, such as `utils`."""
    for path, module in tree.modules(*PYTHON_FOLDERS):
        if vague := _words(path.removesuffix(".py")) & VAGUE_WORDS:
            yield Finding(path, 1, f"the path says {_listed(vague)}: name what is in it")
        for node in ast.walk(module):
            if isinstance(node, Function | ast.ClassDef) and (
                vague := _words(node.name) & VAGUE_WORDS
            ):
                message = f"{node.name} says {_listed(vague)}: name what it does"
                yield Finding(path, node.lineno, message)


def clock_and_chance_come_through_kit(tree: Tree) -> Iterator[Finding]:
    """Only kit reads the clock or makes ids and random values, so that tests can fix them."""
    for path, module in tree.modules(SRC):
        if path.startswith(SRC + "kit/"):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                name = _dotted(node.func)
                if _is_clock_or_chance(name):
                    yield Finding(path, node.lineno, f"{name}(): ask kit.clock or kit.ids")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if _is_clock_or_chance(name := f"{node.module}.{alias.name}"):
                        yield Finding(
                            path, node.lineno, f"import of {name}: ask kit.clock or kit.ids"
                        )


def only_the_unit_of_work_commits(tree: Tree) -> Iterator[Finding]:
    """Only db/unit_of_work.py ends a transaction."""
    for path, module in tree.modules(SRC):
        if path == SRC + "db/unit_of_work.py":
            continue
        for call in _calls(module):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
                yield Finding(path, call.lineno, "commit() outside db/unit_of_work.py")


def the_core_has_no_floats(tree: Tree) -> Iterator[Finding]:
    """No float in shop: money is minor units, rates are basis points, quantities are integers."""
    for path, module in tree.modules(SRC + "shop/"):
        for node in ast.walk(module):
            if isinstance(node, ast.Name) and node.id == "float":
                yield Finding(path, node.lineno, "float in the core")


def nothing_is_left_open(tree: Tree) -> Iterator[Finding]:
    """No notes about unfinished work in code, and nothing in src that raises NotImplementedError."""
    for path, text in tree.under(*PYTHON_FOLDERS):
        lines = () if "/vendor/" in path else text.splitlines()
        for number, line in enumerate(lines, start=1):
            if OPEN_ENDS.search(line):
                yield Finding(path, number, "finish it, or write an issue")
    for path, module in tree.modules("src/"):
        for node in ast.walk(module):
            if isinstance(node, ast.Raise) and _raises(node) == "NotImplementedError":
                yield Finding(path, node.lineno, "NotImplementedError: finish it or leave it out")


def sql_is_made_of_constants(tree: Tree) -> Iterator[Finding]:
    """Only named constants are put into the text of a statement; values are parameters."""
    for path, module in tree.modules(SRC):
        for node in ast.walk(module):
            if not isinstance(node, ast.JoinedStr) or not SQL_START.match(_first_words(node)):
                continue
            strange = [
                ast.unparse(part.value)
                for part in node.values
                if isinstance(part, ast.FormattedValue) and not _is_constant(part.value)
            ]
            if strange:
                message = f"{{{strange[0]}}} in a statement: pass it as a parameter"
                yield Finding(path, node.lineno, message)


def core_functions_take_keywords(tree: Tree) -> Iterator[Finding]:
    """A core function that takes a transaction takes everything else by keyword."""
    for path, module in tree.modules(SRC + "shop/"):
        for function in _functions(module):
            names = [argument.arg for argument in function.args.args]
            if names[:1] == ["tx"] and len(names) > 1:
                message = f"{function.name}: keyword-only after tx, so put `*,` before {names[1]}"
                yield Finding(path, function.lineno, message)


def the_core_takes_sections(tree: Tree) -> Iterator[Finding]:
    """A core function takes its part's section of the settings, or single values, never all settings."""
    for path, module in tree.modules(SRC + "shop/"):
        imports = (node for node in ast.walk(module) if isinstance(node, ast.ImportFrom))
        for node in imports:
            is_of_settings = (node.module or "").startswith(SETTINGS)
            if is_of_settings and any(name.name == "Settings" for name in node.names):
                yield Finding(path, node.lineno, "Settings in the core: take a section")


def doors_hold_no_sql(tree: Tree) -> Iterator[Finding]:
    """A channel only translates: it has no SQL files and makes no queries."""
    for path, _ in tree.under(SRC + "channels/", suffix=".sql"):
        yield Finding(path, 1, "SQL in a channel: it belongs in shop")
    for path, module in tree.modules(SRC + "channels/"):
        for call in _calls(module):
            owner, _, verb = _dotted(call.func).rpartition(".")
            if owner.split(".")[-1] in {"tx", "connection"} and verb in TRANSACTION_CALLS:
                yield Finding(path, call.lineno, f"{owner}.{verb}() in a channel: ask shop")


def parts_are_used_by_their_names(tree: Tree) -> Iterator[Finding]:
    """Other code uses only what the `__init__` of a part of the core exports."""
    for path, module in tree.modules(SRC):
        for line, name in _imported_modules(module):
            words = name.split(".")
            if words[:2] != ["crossdock", "shop"] or len(words) < 4:
                continue
            if not path.startswith(f"{SRC}shop/{words[2]}/"):
                message = f"import from {'.'.join(words[:3])}, not from its inside {words[3]}"
                yield Finding(path, line, message)


def migrations_wait_briefly(tree: Tree) -> Iterator[Finding]:
    """Every revision in SQL sets a lock timeout and carries its date in its name.

    A revision of several files is a folder of that name; the Python file beside it sets the timeout.
    """
    folder = SRC + "db/migrations/versions/"
    for path, text in tree.under(folder, suffix=".sql"):
        name, _, inner = path.removeprefix(folder).partition("/")
        setting = tree.texts.get(f"{folder}{name}.py", "") if inner else text
        if not re.search(r"\bset\s+(local\s+)?lock_timeout\b", setting, re.IGNORECASE):
            yield Finding(path, 1, "set local lock_timeout = '...' first")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}-\d{4}_[a-z0-9_]+", name.removesuffix(".sql")):
            yield Finding(path, 1, "call it YYYY-MM-DD-HHMM_what.sql")


def _functions(module: ast.Module) -> Iterator[Function]:
    for node in ast.walk(module):
        if isinstance(node, Function):
            yield node


def _calls(module: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as written; anything else in the chain, such as a call, becomes `?`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "?"


def _first_words(text: ast.JoinedStr) -> str:
    first = text.values[0] if text.values else None
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _is_constant(value: ast.expr) -> bool:
    """Whether a name is written as a constant: `_COLUMNS`, `records.COLUMNS`."""
    return bool(re.fullmatch(r"_?[A-Z][A-Z0-9_]*", _dotted(value).split(".")[-1]))


def _raises(node: ast.Raise) -> str:
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return _dotted(error) if error else ""


def _is_clock_or_chance(name: str) -> bool:
    if name == "secrets.compare_digest":
        return False
    words = name.split(".")
    return ".".join(words[-2:]) in CHANCE_AND_CLOCK or (
        len(words) > 1 and words[0] in CHANCE_MODULES
    )


def _imported_modules(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, module) of every import; the module is the innermost one that is imported from."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def _words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return {word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word}


def _listed(words: set[str]) -> str:
    return ", ".join(sorted(words))
