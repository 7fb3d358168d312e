"""Static files, read once; cached for ever under a name with a hash, briefly under the plain name."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parents[1] / "web" / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
A_WHILE = "public, max-age=300"
_HASH_DIGITS = 12


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its content type; `tag` is the hash of its content."""

    body: bytes
    content_type: str
    tag: str


class Assets:
    """The files of a folder and its subfolders, by file name without the folder, and `further` ones by name.

    Pages use `url()`; a program may link to the plain name.
    """

    def __init__(self, folder: Path = FOLDER, *, further: Mapping[str, Path] | None = None) -> None:
        self._assets = {
            path.name: read_asset(path) for path in folder.rglob("*") if path.suffix in TYPES
        }
        self._assets |= {name: read_asset(path) for name, path in (further or {}).items()}
        self._hashed = {hashed_name(name, asset): name for name, asset in self._assets.items()}

    def url(self, name: str) -> str:
        """The URL with the hash of the current content."""
        return f"/static/{hashed_name(name, self._assets[name])}"

    def find(self, name: str) -> tuple[Asset, str] | None:
        """The file of a plain or hashed name with its Cache-Control value, or None."""
        if plain := self._hashed.get(name):
            return self._assets[plain], FOREVER
        asset = self._assets.get(name)
        return (asset, A_WHILE) if asset else None


@cache
def shared_assets() -> Assets:
    """The files that pages of every channel may use."""
    return Assets()


@cache
def read_asset(path: Path) -> Asset:
    """A file with its content type and hash, read once per process."""
    body = path.read_bytes()
    tag = hashlib.sha256(body).hexdigest()[:_HASH_DIGITS]
    return Asset(body=body, content_type=TYPES[path.suffix], tag=tag)


def hashed_name(name: str, asset: Asset) -> str:
    """`site.css` becomes `site.0123456789ab.css`."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{asset.tag}.{suffix}"
