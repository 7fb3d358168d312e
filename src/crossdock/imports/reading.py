"""What every reader gets besides the file."""

from zoneinfo import ZoneInfo

import msgspec

from crossdock.imports.mapping import FieldMap


class Notes(msgspec.Struct):
    """What a reader finds out of the file as such.

    `columns_unread` are those without a meaning; `columns` the English names of a header in another
    language, whose numbers have a `decimal_comma`.
    """

    columns_unread: list[str] = []
    columns: dict[str, str] = {}
    decimal_comma: bool = False


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's currency, language and zone, the merchant of rows that name none, and the map.

    The reader adds to `notes`.
    """

    currency: str
    merchant: str
    language: str = "en"
    zone: ZoneInfo = ZoneInfo("UTC")
    map: FieldMap = FieldMap()
    notes: Notes = msgspec.field(default_factory=Notes)

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written as 1.234,56."""
        return self.map.file.decimal_comma or self.notes.decimal_comma
