"""How the database reads what a statement asks for, whatever its values are."""

import re

from crossdock.db.unit_of_work import Transaction


async def generic_plan(tx: Transaction, query: str) -> str:
    """The plan of a statement that was prepared, for any values of its `%(name)s`.

    Reading a whole table is made dear, so that it is in the plan of a small table only where no index serves.
    """
    places: dict[str, int] = {}
    text = re.sub(
        r"%\((\w+)\)s", lambda named: f"${places.setdefault(named[1], len(places) + 1)}", query
    )
    await tx.run("set local enable_seqscan = off")
    rows = await tx.all(f"explain (generic_plan) {text}")
    return "\n".join(row[0] for row in rows)


def whole_shops(plan: str) -> set[str]:
    """The indexes of which a plan reads all that a shop has in them."""
    return set(
        re.findall(
            r"Scan(?: Backward)? using (\w+) on .*\n\s+Index Cond: \(shop_id = \$\d+\)\n",
            plan + "\n",
        )
    )
