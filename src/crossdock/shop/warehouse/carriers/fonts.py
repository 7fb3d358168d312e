"""The fonts that labels are written with.

Latin, Greek and Cyrillic come with the program (two small faces). For other scripts an operator
names font files in the setting `label_fonts`; fonts that Linux distributions usually install are
found automatically. A letter that no font has is replaced by its base letter (NFKD), else by '?'.
"""

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import structlog

_OWN = Path(__file__).parent / "fonts"
REGULAR = _OWN / "DejaVuSansCondensed.ttf"
BOLD = _OWN / "DejaVuSansCondensed-Bold.ttf"
_USUAL = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansHebrew-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf",
)
_log = structlog.get_logger(__name__)


class LabelFonts:
    """The bundled fonts, and the fallback fonts for letters that they lack."""

    def __init__(self, files: Iterable[str] = (), *, usual: Iterable[str] = _USUAL) -> None:
        self._files = (*files, *usual)

    @cached_property
    def others(self) -> tuple[tuple[Path, frozenset[int]], ...]:
        """The fallback fonts with the letters they have, in order of preference."""
        return tuple(
            (path, letters)
            for path in map(Path, self._files)
            if path.is_file() and (letters := _letters(path))
        )

    @cached_property
    def _own(self) -> frozenset[int]:
        return _letters(REGULAR)

    def needed(self, text: str) -> list[Path]:
        """The fallback fonts that the text needs."""
        found: list[Path] = []
        for letter in {ord(c) for c in text} - self._own:
            path = next((path for path, letters in self.others if letter in letters), None)
            if path is not None and path not in found:
                found.append(path)
        return found

    def drawable(self, text: str) -> str:
        """The text with each letter that no font has replaced by its base letter or '?'."""
        return "".join(c if self._has(c) else self._plain(c) for c in text)

    def _plain(self, character: str) -> str:
        kept = [c for c in unicodedata.normalize("NFKD", character) if self._has(c)]
        return "".join(kept) or "?"

    def _has(self, character: str) -> bool:
        letter = ord(character)
        return letter in self._own or any(letter in letters for _, letters in self.others)


def _letters(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError) as error:
        _log.warning("a label font cannot be read", path=str(path), error=str(error))
        return frozenset()
