"""Who acts: the person of a request or a command, as the events that it writes name them."""

from contextvars import ContextVar
from typing import Final

AUTHOR_LENGTH_MAX: Final = 200

_AUTHOR: ContextVar[str] = ContextVar("author", default="")


def act_as(who: str) -> None:
    """From now on what this task and those that it starts write is by `who`; '' for nobody."""
    _AUTHOR.set(who[:AUTHOR_LENGTH_MAX])


def author() -> str:
    """Who acts, or '' where it is no person: a partner's program, the worker."""
    return _AUTHOR.get()
