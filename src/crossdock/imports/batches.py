"""Groups the items of a file into batches, each written in one transaction."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from crossdock.imports.checking import Checker
from crossdock.imports.items import Finding, Item, Read, Record, Unreadable
from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    MerchantRecord,
    PreparedProduct,
    ProductRecord,
    prepare,
)

BATCH_VARIANTS = 4_000
BATCH_ITEMS = 2_000
BATCH_CHARACTERS = 8 * 2**20
# A dry run holds a batch's locks for nothing, so it holds them shortly.
TRIAL_PART = 10


class Batch(msgspec.Struct):
    """What one transaction writes. `position` is the number of items read up to the batch's end, `records`
    that of those without warnings.

    `end` is set on the last batch only: '' at the end of the file, else why it cannot be read further. Only
    one `part`-th of the usual size is taken. `patterned` are the products whose custom fields have patterns.
    """

    products: list[PreparedProduct]
    categories: list[CategoryRecord]
    blog_posts: list[BlogPostRecord]
    merchants: list[MerchantRecord]
    findings: list[Finding]
    position: int = 0
    records: int = 0
    variants: int = 0
    characters: int = 0
    is_new: bool = True
    part: int = 1
    patterned: list[Read] = []
    end: Unreadable | str | None = None

    @property
    def is_full(self) -> bool:
        """Whether the batch is large enough to be written."""
        return (
            self.variants * self.part >= BATCH_VARIANTS
            or self.part
            * (
                len(self.products)
                + len(self.findings)
                + len(self.categories)
                + len(self.blog_posts)
            )
            >= BATCH_ITEMS
            or self.characters * self.part >= BATCH_CHARACTERS
        )

    def add(
        self,
        item: Item,
        *,
        shows: Callable[[ProductRecord], ProductRecord | None] | None = None,
    ) -> None:
        """Take an item in; products are prepared here, outside of any transaction."""
        if isinstance(item, Finding):
            self.findings.append(item)
        elif isinstance(item.record, ProductRecord):
            parts = item.parts and msgspec.structs.replace(item.parts, shows=shows)
            product = prepare((item.record,), parts=parts)[0]
            self.products.append(product)
            if product.patterns:
                self.patterned.append(item)
            self.variants += len(product.variants)
            self.characters += len(product.tail) * (2 if item.parts else 1)
        elif isinstance(item.record, CategoryRecord):
            self.categories.append(item.record)
        elif isinstance(item.record, BlogPostRecord):
            self.blog_posts.append(item.record)
            self.characters += len(item.record.content)
        else:
            self.merchants.append(item.record)


def batches(
    items: Iterable[Item],
    *,
    checker: Checker,
    done: int,
    part: int = 1,
    shows: Callable[[ProductRecord], ProductRecord | None] | None = None,
) -> Iterator[Batch]:
    """The file's items in batches; the first `done` were committed before and count only as findings.

    Reading is deterministic: the same file yields the same items, so `done` can be used to resume.
    """
    batch = _empty(is_new=done == 0, part=part)
    position = records = 0
    end: Unreadable | str = ""
    try:
        for item in items:
            position += 1
            records += not (isinstance(item, Finding) and item.is_warning)
            is_new = position > done
            if is_new and not batch.is_new:
                yield batch
                batch = _empty(is_new=True, part=part)
            for checked in checker.check(item):
                if is_new or isinstance(checked, Finding):
                    batch.add(checked, shows=shows)
                elif _has_patterns(checked.record):
                    batch.patterned.append(checked)
            batch.position, batch.records = position, records
            if batch.is_full:
                yield batch
                batch = _empty(is_new=is_new, part=part)
                batch.position, batch.records = position, records
    except Unreadable as error:
        end = error
    batch.end = end
    yield batch


def _has_patterns(record: Record) -> bool:
    return isinstance(record, ProductRecord) and any(f.regex for f in record.custom_fields)


def _empty(*, is_new: bool, part: int) -> Batch:
    return Batch([], [], [], [], [], is_new=is_new, part=part)
