"""The operating guide lists every kind of alert, and none that nothing raises."""

import ast
import re
from collections.abc import Iterator

from crossdock.channels.registry import equip_worker
from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.shop.payments.settling import _SO
from tests.support.processes import ROOT

GUIDE = ROOT / "docs/operating/watching.md"
RAISING = {"raise_alert", "raise_for_operator"}
COMPUTED = {
    "src/crossdock/shop/alerts/raising.py",  # passes on what it is given
    "src/crossdock/shop/deliveries/recording.py",  # <kind>_failed for each kind of delivery
    "src/crossdock/shop/payments/settling.py",  # <action>_refused for each action that is due
}


def raised_kinds() -> Iterator[tuple[str, str]]:
    """(file, kind) of every alert that some code raises with a literal kind, "" for another."""
    for path in sorted((ROOT / "src/crossdock").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in RAISING:
                [kind] = [word.value for word in node.keywords if word.arg == "kind"]
                literal = kind.value if isinstance(kind, ast.Constant) else ""
                yield str(path.relative_to(ROOT)), str(literal)


def kinds_of_sql() -> set[str]:
    """The literal kind of every call of `raise_alert` in SQL, "" for another."""
    text = "".join(path.read_text() for path in (ROOT / "src/crossdock").rglob("*.sql"))
    calls = re.findall(r"(?:perform|select) raise_alert\(\s*\w+,\s*([^,]+),", text)
    assert len(calls) == len(re.findall(r"(?:perform|select) raise_alert\(", text))
    return {kind.strip("'") if kind.startswith("'") else "" for kind in calls}


async def test_every_kind_has_its_row(settings):
    services = Services(create_runtime(settings))
    equip_worker(services)
    of_deliveries = {f"{kind.name}_failed" for kind in services.delivery_kinds}
    await services.close()
    kinds = set(raised_kinds())
    of_payments = {f"{action}_refused" for action in _SO}

    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", GUIDE.read_text(), re.MULTILINE)
    listed = {row for row in rows if not row.startswith("crossdock_")}

    assert {path for path, kind in kinds if not kind} == COMPUTED
    of_sql = kinds_of_sql()
    assert "" not in of_sql
    assert listed == {kind for _, kind in kinds if kind} | of_sql | of_deliveries | of_payments
