"""B1 for drop shippers: a page of 50 products with their Skus, compared with a bare application that makes it."""

import random

from bench.graphql_pages import measure_page
from bench.measure import Bench, Measured, Size
from proof.stand import Ground

QUERY = """
query products($first: Int) {
  productList(first: $first) {
    edges {
      node {
        id name brand identifier description enabled inventory timeCreated timeUpdated merchant { id name }
        skus { id identifier description price msrp inventory enabled }
      }
    }
  }
}
"""


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """What a partner's own shop shows of a product: its texts, its Skus, their prices and stock."""
    return await measure_page(
        ground, size, name="50 products, shoppo", stand_name="b1p", query=QUERY, path="/shelf"
    )


BENCH = Bench(
    id="B1",
    title="a page of 50 products with their Skus",
    compared_with="a bare Starlette app on the same server: one query for the same products, the same JSON",
    full={"calls": 3_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
