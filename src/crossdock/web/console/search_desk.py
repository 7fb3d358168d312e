"""The search desk: a search with the reasons of each result, beside the same search under other weights."""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.numbers import read_number
from crossdock.shop.search import Explained, SearchRequest, read_names, words_request
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.rendering import Pages

SEARCH_DESK: Final = "/console/search-desk"
WEIGHT_MAX: Final = 1_000
TIE_MAX: Final = 100
_SHOWN: Final = 20
_WORDS_MAX: Final = 200
_PART: Final = 1_000_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A result: its place now and under the tried weights, from 1, 0 where it is not among the first ones."""

    product_id: int
    name: str
    before: int
    after: int
    score: str
    reasons: tuple[tuple[str, str, str], ...]


class SearchDesk:
    """One page; the tried weights are in its address, so that a comparison can be sent to a colleague."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database

    async def show(self, request: Request) -> Response:
        """The results of a search now, and as they would be."""
        visit = await self._gate.require_person(request, right="search.manage")
        values, shop_id = request.query_params, visit.person.shop_id
        words = values.get("q", "").replace("\x00", "").strip()[:_WORDS_MAX]
        present = self._services.search_trials.present
        tried = {name: _weight(values, name, now) for name, now in present.items()}
        changed = {name: value for name, value in tried.items() if value != present[name]}
        places: list[Place] = []
        if words:
            async with self._db.statement() as tx:
                shop = await read_shop_by_id(tx, shop_id=shop_id)
            asked = words_request(words, currency=shop.currency, limit=_SHOWN)
            before = await self._services.searching.explain(asked, shop_id=shop_id)
            after = await self._tried(asked, tried, shop_id) if changed else before
            ids = sorted({each.hit.product_id for each in (*before, *after)})
            async with self._db.statement() as tx:
                names = await read_names(tx, shop_id=shop_id, product_ids=ids)
            places = _places(before, after, names)
        return self._pages.page(
            "search_desk.html",
            visit=visit,
            words=words,
            places=places,
            present=present,
            tried=tried,
            changed=changed,
            limits={name: TIE_MAX if name == "tie" else WEIGHT_MAX for name in present},
        )

    async def _tried(
        self, asked: SearchRequest, tried: Mapping[str, int], shop_id: int
    ) -> tuple[Explained, ...]:
        trial = self._services.search_trials.engine(tried, shop_id=shop_id)
        return await self._services.searching.explain(asked, shop_id=shop_id, trial=trial)


def _places(
    before: tuple[Explained, ...], after: tuple[Explained, ...], names: Mapping[int, str]
) -> list[Place]:
    """The results in their order under the tried weights, then those that fell out."""
    then = {each.hit.product_id: place for place, each in enumerate(before, start=1)}
    later = {each.hit.product_id: place for place, each in enumerate(after, start=1)}
    gone = [each for each in before if each.hit.product_id not in later]
    return [
        Place(
            product_id=each.hit.product_id,
            name=names.get(each.hit.product_id, ""),
            before=then.get(each.hit.product_id, 0),
            after=later.get(each.hit.product_id, 0),
            score=_score(each.hit.score),
            reasons=tuple((each.word, each.field, _score(each.score)) for each in each.reasons),
        )
        for each in (*after, *gone)
    ]


def _weight(values: Mapping[str, str], name: str, now: int) -> int:
    """What the address tries, or the present value where it names none that is possible."""
    found = read_number(values.get(f"w_{name}", ""))
    most = TIE_MAX if name == "tie" else WEIGHT_MAX
    return now if found is None or found > most else found


def _score(millionths: int) -> str:
    return f"{millionths / _PART:.3f}"
