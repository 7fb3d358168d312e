"""The section of the web processes."""

from typing import Annotated, ClassVar

from msgspec import Meta

from crossdock.settings.section import Seconds, Section


class Http(Section, frozen=True, kw_only=True):
    """The web processes and their connections."""

    table: ClassVar[str] = "http"
    part: ClassVar[str] = "serving"

    hung_after_s: Annotated[
        Seconds,
        Meta(
            description="How long a web process may be without a sign of life before it is replaced."
        ),
    ] = 15.0
