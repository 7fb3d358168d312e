"""The section of images."""

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from crossdock.settings.section import Count, Natural, Section, SettingsError


class MediaSection(Section, frozen=True, kw_only=True):
    """Images: where their files are kept, how large they may be, and how long unused ones stay."""

    table: ClassVar[str] = "media"
    part: ClassVar[str] = "shop/media"
    secret: ClassVar[tuple[str, ...]] = ("s3_secret_access_key",)

    store: Annotated[
        Literal["folder", "s3"],
        Meta(
            description="Where the files of images are kept: in a folder, or in a bucket of an S3-compatible store."
        ),
    ] = "folder"
    folder: Annotated[
        str,
        Meta(
            description="The folder, for servers on several machines a shared one; empty is media in data_dir."
        ),
    ] = ""
    s3_bucket: Annotated[str, Meta(description="The bucket.")] = ""
    s3_prefix: Annotated[
        str,
        Meta(description="What the names of all files in the bucket start with, such as shop/."),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Meta(description="Address of a store that is not Amazon's, such as https://s3.example."),
    ] = ""
    s3_region: Annotated[str, Meta(description="The bucket's region.")] = "us-east-1"
    s3_access_key_id: Annotated[
        str,
        Meta(
            description="The access key; empty takes AWS_ACCESS_KEY_ID, or the role of the machine."
        ),
    ] = ""
    s3_secret_access_key: Annotated[str, Meta(description="The secret of the access key.")] = ""
    cdn_url: Annotated[
        str,
        Meta(
            description="What the addresses of images start with, before /images/; empty is public_url."
        ),
    ] = ""
    upload_max_bytes: Annotated[
        Count, Meta(description="Bytes that an uploaded or fetched image may have.")
    ] = 10_485_760
    pixels_max: Annotated[
        Count,
        Meta(
            description="Pixels that an image may have; reading one takes up to sixteen bytes of memory for each."
        ),
    ] = 40_000_000
    at_once: Annotated[
        Count, Meta(description="Images that one process reads at the same time.")
    ] = 2
    waiting_max: Annotated[
        Natural,
        Meta(description="Images that may wait in one process to be read; further ones get 503."),
    ] = 16
    fetch: Annotated[
        bool,
        Meta(
            description="Whether images that products name by an address elsewhere are fetched and kept here."
        ),
    ] = False
    fetch_at_once: Annotated[
        Count, Meta(description="Images that one worker fetches at the same time.")
    ] = 4
    unused_max: Annotated[
        Count, Meta(description="Images that a partner may have to which nothing refers.")
    ] = 1_000
    keep_unused_days: Annotated[
        Count,
        Meta(description="How long an image is kept that no ticket and no product refers to."),
    ] = 30

    def check(self) -> None:
        """A bucket for a store that needs one, and addresses that are addresses."""
        if self.store == "s3" and not self.s3_bucket:
            raise SettingsError("media_store = s3 needs media_s3_bucket")
        if bool(self.s3_access_key_id) != bool(self.s3_secret_access_key):
            raise SettingsError("media_s3_access_key_id needs media_s3_secret_access_key; set both")
        for name in ("s3_endpoint", "cdn_url"):
            value = getattr(self, name)
            if value and urlsplit(value).scheme not in {"http", "https"}:
                raise SettingsError(f"media_{name} must start with http:// or https://")
