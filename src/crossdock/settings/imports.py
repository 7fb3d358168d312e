"""The section of imports from the console."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Count, Section


class ImportsSection(Section, frozen=True, kw_only=True):
    """Catalogues that staff upload: where their files are kept, how large they may be, and for how long."""

    table: ClassVar[str] = "imports"
    part: ClassVar[str] = "imports"

    folder: Annotated[
        str,
        Meta(
            description="Folder of uploaded files, on several machines a shared one; empty is imports in data_dir."
        ),
    ] = ""
    upload_max_bytes: Annotated[
        Count, Meta(description="Bytes that an uploaded catalogue may have, packed or not.")
    ] = 268_435_456
    keep_days: Annotated[
        Count,
        Meta(description="How long uploaded files and their lists of refused rows are kept."),
    ] = 30
