"""Blog posts: one row per slug and language."""

from collections.abc import Sequence

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.records import BlogPostRecord
from crossdock.shop.catalogue.texts import clean_html


async def upsert_blog_posts(
    tx: Transaction, *, shop_id: int, records: Sequence[BlogPostRecord]
) -> int:
    """Write whole posts; returns how many changed. Of several with the same key the last one wins."""
    rows = list({(record.slug, record.language): record for record in records}.values())
    return await tx.run(
        """insert into blog_posts as b (shop_id, slug, title, content, language, image, published_at, enabled)
           select %s, x.* from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                                      %s::timestamptz[], %s::boolean[]) as x
           on conflict (shop_id, slug, language) do update
           set title = excluded.title, content = excluded.content, image = excluded.image,
               published_at = excluded.published_at, enabled = excluded.enabled
           where (b.title, b.content, b.image, b.published_at, b.enabled) is distinct from
                 (excluded.title, excluded.content, excluded.image, excluded.published_at, excluded.enabled)""",
        (
            shop_id,
            [row.slug for row in rows],
            [row.title for row in rows],
            [clean_html(row.content) for row in rows],
            [row.language for row in rows],
            [row.image for row in rows],
            [row.published_at for row in rows],
            [row.enabled for row in rows],
        ),
    )
