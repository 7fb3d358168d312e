"""The texts of the demo shop from words.toml, each in all LANGUAGES."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

LANGUAGES = ("en", "nl", "fr", "de")

Texts = tuple[str, str, str, str]
"""One text in each of LANGUAGES, in their order."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A category of the second level; each noun is a category of the third."""

    name: Texts
    nouns: tuple[Texts, ...]
    perishable: bool = False


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A category of the first level. `price_minor` and `weight_g` are (least, greatest)."""

    name: Texts
    code: str
    merchant: str
    brands: tuple[str, ...]
    material: Texts
    choices: Literal["none", "size", "colour", "material", "size and colour"]
    price_minor: tuple[int, int]
    weight_g: tuple[int, int]
    groups: tuple[Group, ...]
    vat_bp: int = 2100
    virtual: bool = False


class Colour(msgspec.Struct, frozen=True, kw_only=True):
    """A colour and its three letters."""

    name: Texts
    code: str


class GeneralTexts(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences that products share; {noun}, {material} and {model} are filled in."""

    description: Texts
    detail: Texts
    handling: Texts
    best_before: Texts


class PostText(msgspec.Struct, frozen=True, kw_only=True):
    """A blog post of every department; {department}, {first} and {second} are filled in."""

    slug: str
    title: Texts
    content: Texts


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in words.toml."""

    departments: tuple[Department, ...]
    colours: tuple[Colour, ...]
    texts: GeneralTexts
    posts: tuple[PostText, ...]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of goods: a noun with where it stands in the tree."""

    department: Department
    group: Group
    noun: Texts


@cache
def load_words() -> Words:
    """The words, read once."""
    text = Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Words)


@cache
def kinds(*, virtual: bool) -> tuple[Kind, ...]:
    """All kinds, alternating between departments, so that a small demo has products of each."""
    columns = [
        [Kind(department=d, group=g, noun=noun) for g in d.groups for noun in g.nouns]
        for d in load_words().departments
        if d.virtual == virtual
    ]
    rows = range(max(map(len, columns)))
    return tuple(column[row] for row in rows for column in columns if row < len(column))
