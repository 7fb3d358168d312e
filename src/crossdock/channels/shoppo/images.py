"""What is kept here: `uploadImage`, and an Image or a Video by its id (spec section 10)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crossdock.channels.shoppo.errors import bad_input
from crossdock.channels.shoppo.files import UploadedFile
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.rows import ImageRow, VideoRow, kept_image, kept_video
from crossdock.channels.shoppo.subjects import Call, Subject
from crossdock.errors import Invalid
from crossdock.shop.media import Media, facts_of, keep_image, read_images, read_videos


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What `uploadImage` answers."""

    image: ImageRow


class Images:
    """The subject of images; the service is made with the first one."""

    def __init__(self, media: Callable[[], Media]) -> None:
        self._media = media

    def subject(self) -> Subject:
        """The mutation, its payload, and images by id."""
        return Subject(
            types={"UploadImagePayload": {"image": lambda row, _: row.image}},
            mutations={"uploadImage": self.upload},
            rows={ImageRow: "Image"},
            nodes={Kind.IMAGE: self.image, Kind.VIDEO: self.video},
        )

    async def upload(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> Uploaded:
        """Keep an image of the caller."""
        file, media = arguments["file"], self._media()
        if not isinstance(file, UploadedFile):
            raise bad_input("file is no part of a multipart request.", field="file")
        if file.is_too_large:
            most = media.reader.limits.bytes_max
            text = f"The image has more than {most} bytes."
            raise Invalid("image_too_large", text, {"limit": most})
        partner = call.partner
        image = await keep_image(
            media, shop_id=partner.shop_id, partner_id=partner.id, body=file.body
        )
        return Uploaded(kept_image(image, base=media.base_url))

    async def image(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> ImageRow | None:
        """An image of the caller, or one of the shop's own, by its number."""
        media, partner = self._media(), call.partner
        async with media.db.statement() as tx:
            for owner in (partner.id, None):
                found = await read_images(
                    tx, shop_id=partner.shop_id, partner_id=owner, image_ids=[number]
                )
                if found:
                    return kept_image(found[0], base=media.base_url)
        return None

    async def video(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> VideoRow | None:
        """A video of the shop, by its number."""
        media = self._media()
        async with media.db.statement() as tx:
            found = await read_videos(tx, shop_id=call.partner.shop_id, video_ids=[number])
        return kept_video(facts_of(found[0]), base=media.base_url) if found else None
