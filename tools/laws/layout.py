"""Laws about the location of files: channels and the map."""

import re
from collections.abc import Iterator
from itertools import takewhile

from tools.laws.tree import Finding, Tree

CHANNELS = "src/crossdock/channels/"
REGISTRY = CHANNELS + "registry.py"
CHANNEL_FILES = ("README.md", "app.py", "auth.py", "wire.py", "errors.py")
PLUMBING = "plumbing"  # what several channels do alike: no channel of its own
MAP = "ARCHITECTURE.md"


def channels_look_alike(tree: Tree) -> Iterator[Finding]:
    """Every channel folder has the same file names, so that differences stand out."""
    for channel in channel_names(tree):
        for name in CHANNEL_FILES:
            path = f"{CHANNELS}{channel}/{name}"
            if not tree.has(path):
                yield Finding(path, 1, "every channel has this file")


def channels_are_registered(tree: Tree) -> Iterator[Finding]:
    """Every channel folder has its line in the registry; an unregistered one would be dead code."""
    registry = tree.texts.get(REGISTRY, "")
    for channel in channel_names(tree):
        if f'"crossdock.channels.{channel}"' not in registry:
            yield Finding(REGISTRY, 1, f"crossdock.channels.{channel} is not registered")


def the_map_is_true(tree: Tree) -> Iterator[Finding]:
    """Every path in a ```tree block of ARCHITECTURE.md exists."""
    if MAP not in tree.texts:
        yield Finding(MAP, 1, "the map is missing")
        return
    for line, path in drawn_paths(tree.texts[MAP]):
        if not tree.has(path):
            yield Finding(MAP, line, f"{path} does not exist")


def channel_names(tree: Tree) -> list[str]:
    """List the channel folders: those below channels/ that hold an app.py or an `__init__`."""
    pattern = re.compile(re.escape(CHANNELS) + r"([a-z0-9_]+)/(app|__init__)\.py")
    found = {match[1] for path in tree.texts if (match := pattern.fullmatch(path))}
    return sorted(found - {PLUMBING})


def drawn_paths(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield (line, path) of a tree block: two spaces of indent per level, folders end in `/`.

    One line may name several files; two spaces separate them and the explanation:

        src/crossdock/
          app.py  cli.py     the composition root and the command line
    """
    folders: list[str] = []
    inside = False
    for number, line in enumerate(markdown.splitlines(), start=1):
        if line.startswith("```"):
            inside = line.strip() == "```tree"
            folders = []
        elif inside and line.strip():
            depth = (len(line) - len(line.lstrip(" "))) // 2
            names = list(takewhile(_is_path, line.split()))
            for name in names:
                yield number, "".join(folders[:depth]) + name
            if names and names[-1].endswith("/"):
                folders = [*folders[:depth], names[-1]]


def _is_path(word: str) -> bool:
    return bool(re.fullmatch(r"[\w.*/-]*[./][\w.*/-]*|Makefile|LICENSE", word))
