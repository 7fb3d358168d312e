"""The section of images and videos."""

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from crossdock.settings.section import Count, Natural, Section, SettingsError


class MediaSection(Section, frozen=True, kw_only=True):
    """Images and videos: where their files are kept, how large they may be, and how long unused ones stay."""

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
            description="What the addresses of images and videos start with, before the path; empty is public_url."
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
            description="Whether images and videos that products name by an address elsewhere are fetched."
        ),
    ] = False
    fetch_at_once: Annotated[
        Count, Meta(description="Images that one worker fetches at the same time.")
    ] = 4
    video_max_bytes: Annotated[
        Count, Meta(description="Bytes that a video may have, added by staff or fetched.")
    ] = 104_857_600
    video_max_seconds: Annotated[
        Count, Meta(description="How long a video may be, in seconds.")
    ] = 180
    video_pixels_max: Annotated[
        Count,
        Meta(description="Pixels that a picture of a video may have; 1920 x 1080 by default."),
    ] = 2_073_600
    video_read_s: Annotated[
        Count, Meta(description="Seconds that reading a video may take before it is refused.")
    ] = 60
    video_render_s: Annotated[
        Count, Meta(description="Seconds that making the renditions of one video may take.")
    ] = 3_600
    unused_max: Annotated[
        Count, Meta(description="Images that a partner may have to which nothing refers.")
    ] = 1_000
    keep_unused_days: Annotated[
        Count,
        Meta(
            description="How long an image or a video is kept that no ticket and no product refers to."
        ),
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
