"""Papers as PDF: long texts are cut with few measurements, and too many lines are refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from crossdock.errors import Invalid
from crossdock.shop.orders import OrderView, PackageView
from crossdock.shop.warehouse import LabelFonts
from crossdock.web.console import papers
from crossdock.web.console.papers import LINES_MAX, packing_slip_pdf, pick_list_pdf

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FONTS = LabelFonts(usual=())


@pytest.fixture
def paper():
    return papers._Paper(fonts=FONTS, title="Pick list", now=NOW)


@pytest.mark.parametrize("text", ["W" * 2_000, "a b " * 500, "i" * 2_000])
def test_a_long_text_is_cut_with_few_measurements(paper, text):
    measured: list[int] = []
    drawn: list[str] = []
    pdf, measure = paper._pdf, paper._pdf.get_string_width

    def counted(part: str) -> float:
        measured.append(len(part))
        return float(measure(part))

    pdf.get_string_width = counted
    pdf.text = lambda _x, _y, part: drawn.append(part)

    paper.remark(text)

    assert len(measured) <= 12
    assert max(measured) <= 200
    (shown,) = drawn
    assert text.startswith(shown)
    assert len(shown) == 200 or measure(shown) <= 192 - 18 < measure(text[: len(shown) + 1])


@pytest.mark.parametrize(
    "make",
    [
        lambda order: pick_list_pdf([order, order], fonts=FONTS, now=NOW),
        lambda order: packing_slip_pdf(order, cast("PackageView", None), fonts=FONTS, now=NOW),
    ],
)
def test_more_lines_than_a_paper_has_are_refused(make: Callable[[OrderView], bytes]):
    order = cast("OrderView", SimpleNamespace(lines=[None] * (LINES_MAX + 1)))
    with pytest.raises(Invalid, match="at most 2000 lines"):
        make(order)
