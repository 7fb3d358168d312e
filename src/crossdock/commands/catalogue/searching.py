"""`crossdock search`: ask the catalogue search, see why, build its index anew."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from crossdock.commands.running import with_runtime
from crossdock.db.runtime import Runtime
from crossdock.errors import Invalid
from crossdock.kit.numbers import counted, read_number
from crossdock.terminal import JsonOption, ShopOption, print_table, report, report_list

if TYPE_CHECKING:
    from crossdock.shop.search import Built, Explained, FacetValue, Found, Lag

app = typer.Typer(help="Ask the catalogue search, and keep its index.", no_args_is_help=True)

FACET_LINES = 8
WordsArgument = Annotated[str, typer.Argument(help="Words to search for; '' for all goods.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100, help="At most this many products.")]


@app.command()
def query(
    words: WordsArgument,
    shop: ShopOption,
    limit: LimitOption = 10,
    facets: Annotated[
        bool, typer.Option("--facets", help="Count brands, categories and the like as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Search a shop's goods for words, as a caller who sees all merchants would."""
    from crossdock.compose import Services
    from crossdock.shop.search import FACETS, FacetRequest, read_names, words_request
    from crossdock.shop.shops import read_shop

    asked = tuple(FacetRequest(facet=each) for each in FACETS if each != "price") if facets else ()

    async def run(runtime: Runtime) -> "tuple[Found, dict[int, str]]":
        async with Services(runtime) as services, runtime.database.statement() as tx:
            row = await read_shop(tx, slug=shop)
            request = words_request(words, currency=row.currency, limit=limit, facets=asked)
            found = await services.searching.search(request, shop_id=row.id)
            ids = [hit.product_id for hit in found.hits]
            return found, await read_names(tx, shop_id=row.id, product_ids=ids)

    found, names = with_runtime(run)
    report(found, as_json=as_json, text=lambda: _print_found(found, names))


@app.command()
def explain(
    words: WordsArgument,
    shop: ShopOption,
    limit: LimitOption = 5,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="Try another weight, such as name=40, or tie=10; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show why each result stands where it does: what each word counts in each field."""
    from crossdock.compose import Services
    from crossdock.shop.search import read_names, words_request
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "tuple[tuple[Explained, ...], dict[int, str]]":
        async with Services(runtime) as services, runtime.database.statement() as tx:
            row = await read_shop(tx, slug=shop)
            request = words_request(words, currency=row.currency, limit=limit)
            tried = _weights(services.search_trials.present, weight or ())
            trial = services.search_trials.engine(tried, shop_id=row.id)
            found = await services.searching.explain(request, shop_id=row.id, trial=trial)
            ids = [each.hit.product_id for each in found]
            return found, await read_names(tx, shop_id=row.id, product_ids=ids)

    found, names = with_runtime(run)
    report_list(
        list(found),
        as_json=as_json,
        table=lambda explained: _print_explained(explained, names),
        none="Nothing is found.",
    )


def _weights(present: Mapping[str, int], words: Sequence[str]) -> dict[str, int]:
    """The present weights with those of the words in their place. Raises Invalid `invalid_input`."""
    tried = dict(present)
    for word in words:
        name, _, value = word.partition("=")
        weight = read_number(value, digits_max=4)
        if name not in tried or weight is None:
            names = ", ".join(tried)
            raise Invalid("invalid_input", f"--weight is name=number, of {names}.")
        tried[name] = weight
    if tried["tie"] > 100:
        raise Invalid("invalid_input", "--weight tie is at most 100.")
    return tried


@app.command()
def rebuild(shop: ShopOption, as_json: JsonOption = False) -> None:
    """Build a shop's index anew; searches go on, and the new one takes over when it is whole."""
    from crossdock.compose import Services
    from crossdock.shop.search import rebuild
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "Built":
        async with Services(runtime) as services:
            async with runtime.database.statement() as tx:
                row = await read_shop(tx, slug=shop)
            return await rebuild(services.building, shop_id=row.id)

    built = with_runtime(run)
    text = f"{counted(built.products, 'product')} with {counted(built.documents, 'SKU')}, as of event {built.as_of:,}."
    report(built, as_json=as_json, text=text)


@app.command()
def status(
    shop: Annotated[str | None, typer.Option("--shop", help="Only this shop's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much each shop's index on this machine knows, and how far it is behind."""
    from crossdock.compose import Services
    from crossdock.shop.search import read_lags
    from crossdock.shop.shops import read_shop

    async def run(runtime: Runtime) -> "list[Lag]":
        async with Services(runtime) as services, runtime.database.statement() as tx:
            return await read_lags(
                tx,
                searching=services.searching,
                now=runtime.clock.now(),
                shop_id=(await read_shop(tx, slug=shop)).id if shop else None,
            )

    lags = with_runtime(run)
    report_list(lags, as_json=as_json, table=_print_lags, none="There is no shop yet.")


def _print_found(found: "Found", names: dict[int, str]) -> None:
    from rich.table import Table

    table = Table("Product", "Name", "SKU's id", "Score")
    for hit in found.hits:
        name = names.get(hit.product_id, "")
        score = f"{hit.score / 1_000_000:.3f}" if hit.score else ""
        table.add_row(str(hit.product_id), name, str(hit.variant_id), score)
    if found.hits:
        print_table(table)
    fell_back = ", with any of the words" if found.is_otherwise else ""
    typer.echo(f"{counted(found.count, 'product')}{fell_back}, as of event {found.as_of:,}.")
    for facet, values in found.facets.items():
        typer.echo(f"{facet}: {_listed(values)}")


def _print_explained(found: "list[Explained]", names: dict[int, str]) -> None:
    for place, each in enumerate(found, start=1):
        name = names.get(each.hit.product_id, "")
        typer.echo(f"{place}. {name} ({each.hit.product_id}), {each.hit.score / 1_000_000:.3f}")
        if each.similarity is not None:
            typer.echo(f"   {each.similarity / 1_000_000:>9.3f}  near in meaning")
        for reason in each.reasons:
            typer.echo(f"   {reason.score / 1_000_000:>9.3f}  {reason.word} in {reason.field}")


def _listed(values: "tuple[FacetValue, ...]") -> str:
    shown = [f"{each.label} ({each.count:,})" for each in values[:FACET_LINES]]
    more = len(values) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _print_lags(lags: "list[Lag]") -> None:
    from rich.table import Table

    table = Table("Shop", "SKUs", "As of event", "Last event", "Unread", "Oldest")
    for lag in lags:
        is_there = lag.as_of is not None
        table.add_row(
            lag.shop,
            f"{lag.documents:,}" if is_there else "no index",
            f"{lag.as_of:,}" if is_there else "",
            f"{lag.last_event:,}",
            f"{lag.unread:,}" if lag.unread else "",
            f"{lag.oldest_s} s" if lag.unread else "",
        )
    print_table(table)
