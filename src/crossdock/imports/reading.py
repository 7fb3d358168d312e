"""What every reader is told besides the file."""

import msgspec

from crossdock.imports.mapping import FieldMap


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The shop's currency and languages, the merchant of rows that name none, and the map."""

    currency: str
    merchant: str
    language: str = "en"
    map: FieldMap = FieldMap()

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written as 1.234,56."""
        return self.map.file.decimal_comma
