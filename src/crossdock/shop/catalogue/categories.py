"""The category tree: nodes with a parent, a path of slugs and a path of ids."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.records import CategoryRecord
from crossdock.shop.catalogue.texts import clean_html, slug_of
from crossdock.shop.events import CategoryChanged, write_event

Path = tuple[str, ...]

DEPTH_MAX = 20
PATH_BYTES_MAX = 2_000
_SHALLOW = 4  # paths of up to this many of the longest slugs stay below it


def slug_path(names: Path) -> str:
    """The key of a node: the slugs of its names from the root, joined by '/'."""
    return "/".join(slug_of(name) for name in names)


def is_too_deep(names: Path) -> bool:
    """Whether the node's key would be longer than an index takes."""
    return len(names) > _SHALLOW and len(slug_path(names).encode()) > PATH_BYTES_MAX


async def ensure_categories(
    tx: Transaction, *, shop_id: int, paths: Iterable[Path]
) -> dict[Path, int]:
    """The ids of the nodes at these paths of names; missing nodes and ancestors are created."""
    wanted = {names: slug_path(names) for names in paths}
    known = await _by_path(tx, shop_id=shop_id, paths=sorted(set(wanted.values())))
    missing = {names: path for names, path in wanted.items() if path not in known}
    for depth in range(1, max(map(len, missing), default=0) + 1):
        level = {
            names[:depth]: slug_path(names[:depth]) for names in missing if len(names) >= depth
        }
        known |= await _ensure_level(tx, shop_id=shop_id, level=level, known=known)
    return {names: known[path] for names, path in wanted.items()}


async def upsert_categories(
    tx: Transaction, *, shop_id: int, records: Sequence[CategoryRecord], now: datetime
) -> int:
    """Write whole nodes and create missing ancestors; returns how many changed.

    Of several with the same key the last one wins. Writes one `category.changed` event with those
    that changed.
    """
    paths = dict.fromkeys(record.path for record in records)
    ids = await ensure_categories(tx, shop_id=shop_id, paths=paths)
    rows = {ids[record.path]: record for record in records}
    changed = await tx.all(
        """update categories c
           set name = x.name, names = x.names, descriptions = x.descriptions, images = x.images,
               enabled = x.enabled, sort = x.sort
           from unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::boolean[],
                       %s::integer[]) as x (id, name, names, descriptions, images, enabled, sort)
           where c.shop_id = %s and c.id = x.id
             and (c.name, c.names, c.descriptions, c.images, c.enabled, c.sort) is distinct from
                 (x.name, x.names, x.descriptions, x.images, x.enabled, x.sort)
           returning c.id""",
        (
            list(rows),
            [record.path[-1] for record in rows.values()],
            [Jsonb(record.names) for record in rows.values()],
            [
                Jsonb({k: clean_html(v) for k, v in record.descriptions.items()})
                for record in rows.values()
            ],
            [Jsonb(record.images) for record in rows.values()],
            [record.enabled for record in rows.values()],
            [record.sort for record in rows.values()],
            shop_id,
        ),
    )
    if changed:
        event = CategoryChanged(category_ids=sorted(category_id for (category_id,) in changed))
        await write_event(tx, shop_id=shop_id, event=event, now=now)
    return len(changed)


async def _ensure_level(
    tx: Transaction, *, shop_id: int, level: dict[Path, str], known: dict[str, int]
) -> dict[str, int]:
    """The nodes of one depth; their parents are in `known` already."""
    paths = {path: names for names, path in level.items() if path not in known}
    parents = [known[slug_path(names[:-1])] if len(names) > 1 else None for names in paths.values()]
    await tx.run(
        """with node as (
               select x.path, x.slug, x.name, x.parent_id,
                      nextval(pg_get_serial_sequence('categories', 'id')) as id
               from unnest(%(paths)s::text[], %(slugs)s::text[], %(names)s::text[], %(parents)s::bigint[])
                    as x (path, slug, name, parent_id)
               where not exists (select from categories c where c.shop_id = %(shop)s and c.path = x.path)
           )
           insert into categories (shop_id, id, parent_id, slug, path, id_path, depth, name)
           overriding system value
           select %(shop)s, n.id, n.parent_id, n.slug, n.path, coalesce(p.id_path, '{}') || n.id,
                  coalesce(p.depth, 0) + 1, n.name
           from node n left join categories p on p.shop_id = %(shop)s and p.id = n.parent_id
           on conflict (shop_id, path) do nothing""",
        {
            "shop": shop_id,
            "paths": list(paths),
            "slugs": [path.rpartition("/")[2] for path in paths],
            "names": [names[-1] for names in paths.values()],
            "parents": parents,
        },
    )
    return await _by_path(tx, shop_id=shop_id, paths=list(paths))


async def _by_path(tx: Transaction, *, shop_id: int, paths: Sequence[str]) -> dict[str, int]:
    rows: list[Any] = await tx.all(
        "select path, id from categories where shop_id = %s and path = any(%s)",
        (shop_id, list(paths)),
    )
    return dict(rows)
