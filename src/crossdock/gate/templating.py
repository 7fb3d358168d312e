"""Templates of pages: everything escaped, in the spoken language, and the frame of pages for a shop's buyers."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from crossdock.gate.assets import shared_assets
from crossdock.kit.languages import SPOKEN_FILTERS, gettext, ngettext, speaking, spoken

_SHARED: Final = Path(__file__).parent / "templates"
"""`fields.html`, macros for fields with their hints and mistakes, and `buyer.html`, a page with the shop's name."""
_GETTEXT: Final = frozenset({"_", "gettext"})
_VALUE: Final = re.compile(r"%(?:\((?P<name>\w+)\)s|(?P<percent>%))")


class Templates(jinja2.Environment):
    """Templates that are compiled once for each language, their texts translated then and not at every render.

    `language` is the one that this environment compiles for. The one that is created compiles for none: it
    has an environment for each language, which shares its filters and globals.
    """

    language = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._in: dict[str, Templates] = {}

    def get_template(self, name: Any, *args: Any, **options: Any) -> jinja2.Template:
        """The template in the spoken language."""
        if self.language:
            return super().get_template(name, *args, **options)
        return self._of(spoken()).get_template(name, *args, **options)

    def _of(self, language: str) -> "Templates":
        found = self._in.get(language)
        if found is None:
            found = self._in[language] = self.overlay()
            found.language = language
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if not self.language:
            return tree
        with speaking(self.language):
            translated: nodes.Template = _Translating().visit(tree)
        return translated


class _Translating(NodeTransformer):
    """Puts the translation of a constant text in the place of the call that would look it up."""

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - the visitor's name for it
        """A text that is shown becomes its pieces, with its values between them."""
        shown: list[nodes.Expr] = []
        for each in node.nodes:
            self.generic_visit(each)
            pieces = _pieces(each) if isinstance(each, nodes.Call) else None
            shown += pieces or [each]
        node.nodes = [self._translated(each) for each in shown]
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._translated(node)

    def _translated(self, node: nodes.Expr) -> nodes.Expr:
        told = _told(node) if isinstance(node, nodes.Call) else None
        if told is None or not isinstance(node, nodes.Call):
            return node
        if not node.kwargs:
            return nodes.TemplateData(told % {}, lineno=node.lineno)
        values = [nodes.Pair(nodes.Const(each.key), each.value) for each in node.kwargs]
        return nodes.Mod(nodes.TemplateData(told), nodes.Dict(values), lineno=node.lineno)


def _told(node: nodes.Call) -> str | None:
    """The translation, its values not in it yet; None for a call of something else, or of a text that varies."""
    called = node.node
    is_plain = len(node.args) == 1 and not node.dyn_args and not node.dyn_kwargs
    if not is_plain or not isinstance(called, nodes.Name) or called.name not in _GETTEXT:
        return None
    text = node.args[0]
    return gettext(text.value) if isinstance(text, nodes.Const) else None


def _pieces(node: nodes.Call) -> list[nodes.Expr] | None:
    """The translation as constants and values, each escaped as whatever is shown; None as `_told`."""
    told = _told(node)
    if told is None or _VALUE.sub("", told).count("%"):
        return None
    values = {each.key: each.value for each in node.kwargs}
    named = {found["name"] for found in _VALUE.finditer(told) if found["name"]}
    return list(_split(told, values)) if named <= values.keys() else None


def _split(told: str, values: dict[str, nodes.Expr]) -> Iterator[nodes.Expr]:
    end = 0
    for found in _VALUE.finditer(told):
        constant = told[end : found.start()] + ("%" if found["percent"] else "")
        if constant:
            yield nodes.TemplateData(constant)
        if found["name"]:
            yield values[found["name"]]
        end = found.end()
    if told[end:]:
        yield nodes.TemplateData(told[end:])


def create_templates(folders: Sequence[Path]) -> jinja2.Environment:
    """The templates in these folders, and those that pages share; a value that is missing is an error."""
    made = Templates(
        loader=jinja2.FileSystemLoader([*folders, _SHARED]),
        auto_reload=False,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(language=spoken, asset=_static)
    made.filters.update(SPOKEN_FILTERS)
    return made


def _static(name: str) -> str:
    """The address of a static file with the hash of its content, so that it is cached for ever."""
    return shared_assets().url(name)
