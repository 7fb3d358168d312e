"""A product's name and description in the languages of its shop, as staff enter them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.catalogue.bulk import lock_catalogue
from crossdock.shop.catalogue.changes import tell_changed
from crossdock.shop.catalogue.records import Language, Translation
from crossdock.shop.catalogue.texts import clean_html

Translations = dict[Language, Translation]


async def read_translations(tx: Transaction, *, shop_id: int, product_id: int) -> Translations:
    """What is translated of the product, by language. Raises NotFound `not_found`."""
    row = await tx.one(
        "select translations from products where shop_id = %s and id = %s", (shop_id, product_id)
    )
    if row is None:
        raise NotFound("not_found", f"There is no product {product_id}.")
    return msgspec.convert(row[0], Translations)


async def set_translations(
    tx: Transaction,
    *,
    shop_id: int,
    product_id: int,
    translations: Mapping[str, Translation],
    now: datetime,
) -> None:
    """Set the texts of these languages; an empty text is none, other languages stay as they are.

    HTML is sanitised. A later import of the product writes it whole again. Raises NotFound `not_found`, and
    Invalid `invalid_input` for what is no language.
    """
    try:
        wanted = msgspec.convert(dict(translations), Translations)
    except msgspec.ValidationError as error:
        raise Invalid("invalid_input", str(error), {"field": "translations"}) from error
    await lock_catalogue(tx, shop_id=shop_id)
    stored = await read_translations(tx, shop_id=shop_id, product_id=product_id)
    merged = {**stored, **{language: _clean(texts) for language, texts in wanted.items()}}
    kept = {language: texts for language, texts in merged.items() if texts}
    if kept == stored:
        return
    await tx.run(_SET, (Jsonb(kept), now, shop_id, product_id))
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)


def _clean(texts: Translation) -> Translation:
    cleaned: Translation = {}
    if name := texts.get("name", "").strip():
        cleaned["name"] = name
    if description := clean_html(texts.get("description", "")).strip():
        cleaned["description"] = description
    return cleaned


_SET: Final = """
    update products set translations = %s, source_hash = null, updated_at = %s where shop_id = %s and id = %s
"""
