"""Keep the index of a shop: built whole beside the one in use, then fed by the events (local engine).

The index holds the number of the last event that it knows, saved with what follows from it. So index
and number agree whenever the process is killed: what was not saved is read again. Nothing else
remembers how far the index is, and every node keeps its own.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.search.documents import Category
from crossdock.shop.search.local import folders
from crossdock.shop.search.local.embedding import Embedder, Embeddings
from crossdock.shop.search.local.rows import make_rows
from crossdock.shop.search.local.tantivy_index import Reader, Writer
from crossdock.shop.search.reading import (
    OptionNames,
    ReadProduct,
    read_categories,
    read_products,
    stream_product_ids,
)

Progress = Callable[[int], None]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far an index is: the last event it knows, and the moment its prices are of."""

    as_of: int
    priced_at: datetime


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """What building an index needs; `root` holds a folder for each shop.

    With an `embedder` the index has what the re-rank of a search compares.
    """

    db: Database
    clock: Clock
    ids: Ids
    root: Path
    options: OptionNames
    writer_mb: int
    embedder: Embedder | None = None

    def folder(self, shop_id: int) -> Path:
        """The folder of one shop's indexes."""
        return self.root / str(shop_id)

    def embeddings(self, path: Path | None) -> Embeddings | None:
        """The embeddings of products, as far as the index in this folder has them; None without the extra."""
        if self.embedder is None:
            return None
        return Embeddings(self.embedder, known=Reader(path).snapshot() if path else None)


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A new index: up to which event, how many products, how many SKUs."""

    as_of: int
    products: int
    documents: int


async def rebuild(building: Building, *, shop_id: int, progress: Progress | None = None) -> Built:
    """Build the shop's index anew beside the current one and switch to it; searches go on meanwhile.

    Raises Conflict `exists` while another process builds it.
    """
    folder = building.folder(shop_id)
    with folders.lock(folder, folders.BUILDING) as is_ours:
        if not is_ours:
            raise Conflict("exists", "Another process is building this index.")
        await asyncio.to_thread(folders.sweep, folder)
        current = folders.read_current(folder) if folders.is_usable(folder) else None
        embeddings = await asyncio.to_thread(building.embeddings, current)
        path = folders.make_new(folder, ids=building.ids)
        if embeddings is not None:
            await asyncio.to_thread(embeddings.save_tokens, path)
        writer = await asyncio.to_thread(Writer, path, heap_mb=building.writer_mb)
        try:
            built = await _fill(
                building, writer, shop_id=shop_id, embeddings=embeddings, progress=progress
            )
        finally:
            await asyncio.to_thread(writer.close)
        await asyncio.to_thread(folders.switch, folder, to=path)
    return built


async def _fill(
    building: Building,
    writer: Writer,
    *,
    shop_id: int,
    embeddings: Embeddings | None,
    progress: Progress | None,
) -> Built:
    """All products of one moment. An event that has no number yet is read again, which changes nothing."""
    products = documents = 0
    async with building.db.begin() as tx:
        await tx.run("set transaction isolation level repeatable read, read only")
        await tx.take_time()
        now = building.clock.now()
        as_of = int(await tx.value("select last_sequence from shops where id = %s", (shop_id,)))
        categories = await read_categories(tx, shop_id=shop_id)
        async for ids in stream_product_ids(tx, shop_id=shop_id):
            found = await read_batch(
                tx, building=building, shop_id=shop_id, ids=ids, categories=categories, now=now
            )
            listed = [each for each in found if each.documents]
            await asyncio.to_thread(put_products, writer, listed, embeddings)
            products += len(listed)
            documents += sum(len(each.documents) for each in listed)
            if progress:
                progress(documents)
    await asyncio.to_thread(writer.save, encode_state(State(as_of=as_of, priced_at=now)))
    return Built(as_of=as_of, products=products, documents=documents)


async def read_batch(
    tx: Transaction,
    *,
    building: Building,
    shop_id: int,
    ids: Sequence[int],
    categories: Mapping[int, tuple[Category, ...]],
    now: datetime,
) -> list[ReadProduct]:
    """The documents of these products, with the options that this installation knows."""
    return await read_products(
        tx,
        shop_id=shop_id,
        product_ids=ids,
        categories=categories,
        options=building.options,
        now=now,
    )


def put_products(
    writer: Writer, products: Iterable[ReadProduct], embeddings: Embeddings | None
) -> None:
    """Replace what the index has of these products."""
    for product in products:
        embedding = embeddings.columns(product.documents) if embeddings else None
        writer.put(product.id, make_rows(product.documents, embedding=embedding))


def encode_state(state: State) -> dict[str, object]:
    """The state as it is saved with an index."""
    encoded: dict[str, object] = msgspec.to_builtins(state)
    return encoded


def decode_state(state: dict[str, object]) -> State:
    """The state that was saved with an index."""
    return msgspec.convert(state, State)
