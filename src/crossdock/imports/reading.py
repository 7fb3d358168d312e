"""What every reader is told besides the file."""

import msgspec

from crossdock.imports.mapping import FieldMap


class Notes(msgspec.Struct):
    """What a reader has to say of the file as such, when it is through: columns without a meaning."""

    columns_unread: list[str] = []


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's currency and languages, the merchant of rows that name none, and the map.

    The reader writes down its `notes`.
    """

    currency: str
    merchant: str
    language: str = "en"
    map: FieldMap = FieldMap()
    notes: Notes = msgspec.field(default_factory=Notes)

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written as 1.234,56."""
        return self.map.file.decimal_comma
