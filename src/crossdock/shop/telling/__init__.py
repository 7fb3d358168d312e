"""What partners were told of goods without asking, and what they are to be told next."""

from crossdock.shop.telling.affected import Changed, changed_goods
from crossdock.shop.telling.noting import (
    Due,
    Goods,
    Known,
    Subject,
    mark_known,
    note_goods,
    read_known,
)

__all__ = [
    "Changed",
    "Due",
    "Goods",
    "Known",
    "Subject",
    "changed_goods",
    "mark_known",
    "note_goods",
    "read_known",
]
