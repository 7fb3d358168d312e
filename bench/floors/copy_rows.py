"""COPY of a file's variants into one plain table: `python -m bench.floors.copy_rows FILE URL`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

TABLE = """
    drop table if exists floor_rows;
    create table floor_rows (
        handle text, name text, sku text, upc text, options jsonb, price_minor bigint, on_hand bigint)
"""


def rows(path: str) -> Iterator[tuple[Any, ...]]:
    """A row per variant."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the shortest program that does it
        for line in file:
            product = json.loads(line)
            for variant in product["variants"]:
                yield (
                    product["handle"],
                    product["name"],
                    variant["sku"],
                    variant["upc"],
                    json.dumps(variant["options"]),
                    variant["retail_minor"],
                    variant["stock"][0]["on_hand"],
                )


def main() -> None:
    """One transaction."""
    path, url = sys.argv[1:]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
        with cursor.copy("copy floor_rows from stdin") as copy:
            for row in rows(path):
                copy.write_row(row)


if __name__ == "__main__":
    main()
