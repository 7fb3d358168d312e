"""The benchmarks in the order in which they are run."""

from bench.measure import Bench
from bench.runs import (
    b01_goods,
    b01_page,
    b01_stock,
    b02_graphql,
    b03_checkouts,
    b03_consigned,
    b03_orders,
    b04_hot,
    b05_catalogue,
    b05_search,
    b06_import,
    b07_catalogue,
    b08_growth,
    b09_deliveries,
    b10_start,
    b11_relevance,
    b12_search_growth,
)

BENCHES: list[Bench] = [
    b01_page.BENCH,
    b01_stock.BENCH,
    b01_goods.BENCH,
    b02_graphql.BENCH,
    b03_orders.BENCH,
    b03_consigned.BENCH,
    b03_checkouts.BENCH,
    b04_hot.BENCH,
    b05_search.BENCH,
    b05_catalogue.BENCH,
    b06_import.BENCH,
    b07_catalogue.BENCH,
    b08_growth.BENCH,
    b09_deliveries.BENCH,
    b10_start.BENCH,
    b11_relevance.BENCH,
    b12_search_growth.BENCH,
]
