"""What a write is about to do, asked first; and the form that takes one back, carried in an address and sealed."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.gate import SURE_FIELD, TOKEN_FIELD, Form
from crossdock.kit.crypto import constant_time_equal
from crossdock.shop.people import Visit
from crossdock.web.console.rendering import Pages, Told, Undo

_UNDO: Final = "undo"
_UNDO_MAX: Final = 3_000
"""What a browser and what is in between take as an address with room to spare; a longer undo is not offered."""


class Effect(NamedTuple):
    """One thing that a write does: to what, and what."""

    about: str
    text: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: the title, what would be done, the button that does it, and where a No leads."""

    title: str
    effects: Sequence[Effect]
    button: str
    back: str
    here: str = "orders"
    is_final: bool = True
    """Whether it cannot be undone, which the page says."""


def is_sure(form: Form) -> bool:
    """Whether the person has seen what the form does."""
    return form.get(SURE_FIELD) == "yes"


def ask(
    pages: Pages, request: Request, *, visit: Visit, form: Form, question: Question
) -> Response:
    """The page that asks: it sends the same form to the same address again, with the field that says so."""
    kept = {name: text for name, text in form.items() if name not in {TOKEN_FIELD, SURE_FIELD}}
    return pages.page(
        "confirm.html",
        visit=visit,
        question=question,
        action=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        fields={**kept, SURE_FIELD: "yes"},
    )


def undo_query(visit: Visit, undo: Undo) -> str:
    """The part of an address that has the page after a write offer to take it back; '' for one too long.

    It is sealed by the session, so that no address from elsewhere offers anything.
    """
    body = base64.urlsafe_b64encode(msgspec.json.encode(undo)).decode()
    query = urlencode({_UNDO: f"{body}.{_seal(visit, body)}"})
    return f"&{query}" if len(query) <= _UNDO_MAX else ""


def told_of(visit: Visit, request: Request, texts: Mapping[str, str]) -> Told | None:
    """What the address says was done, of these texts by name, with the form that takes it back."""
    text = texts.get(request.query_params.get("done", ""), "")
    return Told(text=str(text), undo=_read_undo(visit, request)) if text else None


def _read_undo(visit: Visit, request: Request) -> Undo | None:
    body, _, seal = request.query_params.get(_UNDO, "").partition(".")
    if not body or not constant_time_equal(_seal(visit, body), seal):
        return None
    return msgspec.json.decode(base64.urlsafe_b64decode(body), type=Undo)


def _seal(visit: Visit, body: str) -> str:
    key = hashlib.blake2b(visit.form_token.encode()).digest()
    return hashlib.blake2b(body.encode(), key=key, digest_size=16, person=b"undo").hexdigest()
