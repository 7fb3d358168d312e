"""Products and categories: the two lists, and the objects of the catalogue by id."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crossdock.channels.shoppo.connections import (
    LENGTH,
    Connection,
    connection,
    connection_types,
    read_paging,
)
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.pictures import IMAGE_TYPES, Pictures
from crossdock.channels.shoppo.products import (
    CATEGORY_FIELDS,
    MERCHANT_FIELDS,
    SPEC_FIELDS,
    product_fields,
    sku_fields,
)
from crossdock.channels.shoppo.rows import (
    ImageRow,
    MerchantRow,
    ProductRow,
    SkuRow,
    VideoRow,
)
from crossdock.channels.shoppo.shelf import Shelf
from crossdock.channels.shoppo.shipping import CONFIG_FIELDS
from crossdock.channels.shoppo.subjects import Call, Subject
from crossdock.db.unit_of_work import Database
from crossdock.shop.catalogue import (
    CategoryPage,
    GoodsCategory,
    count_category_paths,
    list_category_paths,
    read_category_paths,
    read_merchant_names,
)
from crossdock.shop.search import OptionNames

_CATEGORIES = "category"


class Catalogue:
    """The catalogue's subject."""

    def __init__(
        self,
        db: Database,
        *,
        shelf: Shelf,
        options: OptionNames,
        pictures: Pictures,
    ) -> None:
        self._db = db
        self._shelf = shelf
        self._options = options
        self._pictures = pictures

    def subject(self) -> Subject:
        """The types, lists and objects of the catalogue."""
        return Subject(
            types={
                "Product": product_fields(self._pictures),
                "Sku": sku_fields(self._pictures, options=self._options),
                "Merchant": MERCHANT_FIELDS,
                "SkuSpec": SPEC_FIELDS,
                "CustomerShippingConfig": CONFIG_FIELDS,
                "ConsumerProductCategory": CATEGORY_FIELDS,
                **IMAGE_TYPES,
                **connection_types("Product"),
                **connection_types("ConsumerProductCategory"),
            },
            queries={"productList": self.list, "productCategories": self.list_categories},
            lists={"productList": self._shelf.page},
            rows={
                ProductRow: "Product",
                SkuRow: "Sku",
                MerchantRow: "Merchant",
                GoodsCategory: "ConsumerProductCategory",
                ImageRow: "Image",
                VideoRow: "Video",
            },
            nodes={
                Kind.PRODUCT: self.product,
                Kind.SKU: self.sku,
                Kind.MERCHANT: self.merchant,
                Kind.CATEGORY: self.category,
                Kind.PRODUCT_IMAGE: self.product_image,
                Kind.SKU_IMAGE: self.sku_image,
                Kind.PRODUCT_VIDEO: self.product_video,
            },
        )

    async def list(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Connection:
        """A page of the products that the caller may sell."""
        return await self._shelf.read(call, arguments, names)

    async def list_categories(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Connection:
        """A page of the shop's categories, by their number."""
        paging = read_paging(arguments, listed=_CATEGORIES)
        page = CategoryPage(
            size=paging.size,
            after=paging.after and paging.after[1],
            before=paging.before and paging.before[1],
            is_last=paging.is_last,
        )
        shop_id = call.partner.shop_id
        async with self._db.statement() as tx:
            rows, has_more = await list_category_paths(tx, shop_id=shop_id, page=page)
            length = -1
            if LENGTH in names:
                length = await count_category_paths(tx, shop_id=shop_id)
        return connection(
            rows, paging=paging, has_more=has_more, length=length, listed=_CATEGORIES,
            place=lambda row: (_NO_TIME, row.id),
        )  # fmt: skip

    async def product(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ProductRow | None:
        """A product by its number."""
        return await self._product(call, names, product_ids=[number])

    async def sku(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> SkuRow | None:
        """A Sku by its number, with its product."""
        product = await self._product(call, names | {"skus"}, variant_ids=[number])
        return None if product is None else _sku_of(product, number)

    async def merchant(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> MerchantRow | None:
        """A merchant whose products the caller may sell."""
        async with self._db.statement() as tx:
            found = await read_merchant_names(tx, partner=call.partner, merchant_ids=[number])
        return MerchantRow(found[0].id, found[0].name) if found else None

    async def category(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> GoodsCategory | None:
        """A category by its number."""
        async with self._db.statement() as tx:
            found = await read_category_paths(
                tx, shop_id=call.partner.shop_id, category_ids=[number]
            )
        return found[0] if found else None

    async def product_image(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ImageRow | None:
        """The picture in this place of a product."""
        product = await self._product(call, frozenset({"coverImage"}), product_ids=[number])
        if product is None:
            return None
        images = product.record.images
        if place < len(images) and images[place].url:
            return self._pictures.at(product, place)  # also one that is kept here since
        return next(
            (
                each
                for each in self._pictures.of_product(product)
                if each.kind == Kind.PRODUCT_IMAGE and each.place == place
            ),
            None,
        )

    async def product_video(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> VideoRow | None:
        """The video of a product, also one that is kept here since."""
        product = await self._product(call, frozenset({"coverVideo"}), product_ids=[number])
        return None if product is None else self._pictures.video_of(product)

    async def sku_image(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ImageRow | None:
        """The picture of a Sku that is none of its product's."""
        sku = await self.sku(call, number, place, frozenset({"coverImage"}))
        if sku is None:
            return None
        image = self._pictures.of_sku(sku)
        return image if image.kind == Kind.SKU_IMAGE else None

    async def _product(
        self,
        call: Call,
        names: frozenset[str],
        *,
        product_ids: Sequence[int] = (),
        variant_ids: Sequence[int] = (),
    ) -> ProductRow | None:
        found = await self._shelf.products(
            call, names, product_ids=product_ids, variant_ids=variant_ids
        )
        return found[0] if found else None


_NO_TIME = datetime.fromtimestamp(0, UTC)


def _sku_of(product: ProductRow, number: int) -> SkuRow | None:
    return next((each for each in product.skus if each.number == number), None)
