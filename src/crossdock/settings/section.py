"""The base class of sections: the settings of one part of the program."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from crossdock.errors import Invalid

Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]
SANDBOX = "sandbox"
STRIPE = "stripe"
PAYMENT_PROVIDERS = (SANDBOX, STRIPE)
"""The names of those that the composition root builds; Stripe only with its key."""


class SettingsError(Invalid):
    """A setting that cannot be used; the message names it and says what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_input", message)


class Section(msgspec.Struct, frozen=True):
    """The settings of one part: a table of the file, and `CROSSDOCK_<TABLE>_<NAME>`.

    `table` is its name; `part` is the folder or module below `crossdock` that it belongs to, and only
    that part and the composition root read it. `short` lists the settings that may also be set without
    the table's name, `secret` those that are never shown. The description of each field is its
    documentation; names end in their unit: _s, _ms, _bytes, _mb.
    """

    table: ClassVar[str]
    part: ClassVar[str]
    short: ClassVar[tuple[str, ...]] = ()
    secret: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Check rules that types cannot express. Raises SettingsError."""
