"""One order of what several lists have in part, as the items of a feed's group have a product's."""

from collections.abc import Sequence


def merged(lists: Sequence[Sequence[str]]) -> list[str]:
    """All names once; each list's new ones stand beside their neighbours of that list."""
    found: list[str] = []
    for names in lists:
        for place, name in enumerate(names):
            if name in found:
                continue
            after = next((n for n in names[place + 1 :] if n in found), None)
            before = next((n for n in reversed(names[:place]) if n in found), None)
            if after is not None:
                found.insert(found.index(after), name)
            elif before is not None:
                found.insert(found.index(before) + 1, name)
            else:
                found.append(name)
    return found


def pictures(items: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The pictures of a group, from each item's main one and its others.

    A main picture that another item has among its others has its place there; any other comes
    before its item's others.
    """
    placed = {url for _, others in items for url in others}
    return merged([[*([main] if main and main not in placed else []), *o] for main, o in items])
