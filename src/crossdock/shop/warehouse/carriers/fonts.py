"""The fonts that labels are written with, and how wide a text is in them.

Latin, Greek, Cyrillic, Armenian and Georgian come with the program (two small faces). For others an
operator names font files in the setting `label_fonts`; fonts that Linux distributions usually
install are found automatically. Texts are set from left to right, one glyph for each character, so
scripts whose letters join, change places or run from right to left are not printed.
"""

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

_OWN = Path(__file__).parent / "fonts"
REGULAR = _OWN / "DejaVuSansCondensed.ttf"
BOLD = _OWN / "DejaVuSansCondensed-Bold.ttf"
_USUAL = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf",
)
# Beside scripts from right to left, which are found by their direction: those whose letters join or
# move (Indic, Thai, Lao, Tibetan, Myanmar, Khmer, Mongolian, and single letters of Hangul).
_SHAPED = (
    (0x0900, 0x0DFF),
    (0x0E00, 0x109F),
    (0x1100, 0x11FF),
    (0x1700, 0x18AF),
    (0x1900, 0x1CFF),
    (0xA800, 0xABFF),
)
_SMALL = 10_000  # characters
_GEORGIAN_CAPITALS = (0x1C90, 0x1CBF)
UM_PER_POINT_X1000 = 352_778
_ASCENT, _DESCENT = 928, 236  # of the bundled faces; marks on capitals reach higher
_log = structlog.get_logger(__name__)


class Face(msgspec.Struct, frozen=True):
    """A font file: what it measures of each character it has, in thousandths of its size.

    `extents` are how far a glyph reaches above and below the baseline.
    """

    path: Path
    advances: dict[int, int]
    extents: dict[int, tuple[int, int]]


class Run(msgspec.Struct, frozen=True):
    """Neighbouring characters of one face; `advances` are theirs, in thousandths of the size."""

    path: Path
    text: str
    advances: tuple[int, ...]


class LabelFonts:
    """The bundled faces, and the others for characters that they lack."""

    def __init__(self, files: Iterable[str] = (), *, usual: Iterable[str] = _USUAL) -> None:
        self._files = (*files, *usual)

    @cached_property
    def others(self) -> tuple[Face, ...]:
        """The faces beside the bundled ones, in order of preference."""
        faces = (_face(path) for path in map(Path, self._files) if path.is_file())
        return tuple(face for face in faces if face.advances)

    @cached_property
    def _own(self) -> dict[bool, Face]:
        return {False: _face(REGULAR), True: _face(BOLD)}

    def missing(self, text: str) -> str:
        """The characters of the text that cannot be printed, each once, in their order."""
        return "".join(dict.fromkeys(c for c in text if not self._prints(c)))

    def runs(self, text: str, *, bold: bool) -> tuple[Run, ...]:
        """The text by faces. Every character must be printable: see `missing`."""
        by_face = groupby(text, key=lambda c: self._face_of(c, bold=bold) or self._own[bold])
        runs = ((face, "".join(characters)) for face, characters in by_face)
        return tuple(
            Run(face.path, part, tuple(face.advances.get(ord(c), 1000) for c in part))
            for face, part in runs
        )

    def width_um(self, text: str, *, size: int, bold: bool) -> int:
        """The width in micrometres, rounded up; `size` is in tenths of a point."""
        advances = sum(sum(run.advances) for run in self.runs(text, bold=bold))
        return -(-advances * size * UM_PER_POINT_X1000 // 10_000_000)

    def extent(self, text: str, *, bold: bool) -> tuple[int, int]:
        """How far the text reaches above and below its baseline, in thousandths of its size."""
        above, below = _ASCENT, _DESCENT
        for character in text:
            face = self._face_of(character, bold=bold) or self._own[bold]
            high, low = face.extents.get(ord(character), (0, 0))
            above, below = max(above, high), max(below, low)
        return above, below

    def _prints(self, character: str) -> bool:
        return not _is_shaped(character) and self._face_of(character, bold=False) is not None

    def _face_of(self, character: str, *, bold: bool) -> Face | None:
        letter = ord(character)
        own = self._own[bold]
        if letter in own.advances:
            return own
        return next((face for face in self.others if letter in face.advances), None)


def _is_shaped(character: str) -> bool:
    letter = ord(character)
    if unicodedata.bidirectional(character) in {"R", "AL", "AN"}:
        return True
    if _GEORGIAN_CAPITALS[0] <= letter <= _GEORGIAN_CAPITALS[1]:
        return False
    return any(first <= letter <= last for first, last in _SHAPED)


def _face(path: Path) -> Face:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            units = font["head"].unitsPerEm
            widths = font["hmtx"].metrics
            names = font.getBestCmap() or {}
            advances = {c: -(-widths[n][0] * 1000 // units) for c, n in names.items()}
            return Face(path, advances, _extents(font, names, units=units))
    except (OSError, KeyError, TTLibError) as error:
        _log.warning("a label font cannot be read", path=str(path), error=str(error))
        return Face(path, {}, {})


def _extents(font: "TTFont", names: dict[int, str], *, units: int) -> dict[int, tuple[int, int]]:
    """Those of each glyph of a small face; of a large one the highest and the lowest it has."""
    if len(names) > _SMALL or "glyf" not in font:
        head = font["head"]
        extent = (-(-head.yMax * 1000 // units), -(head.yMin * 1000 // units))
        return dict.fromkeys(names, extent)
    glyphs = font["glyf"]
    return {
        c: (
            -(-getattr(glyphs[n], "yMax", 0) * 1000 // units),
            -(getattr(glyphs[n], "yMin", 0) * 1000 // units),
        )
        for c, n in names.items()
    }
