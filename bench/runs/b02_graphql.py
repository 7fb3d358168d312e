"""B2: a page of 50 products through GraphQL, compared with a bare application that makes the same page."""

import random

from bench.graphql_pages import measure_page
from bench.measure import Bench, Measured, Size
from proof.stand import Ground

QUERY = """
query products($first: Int) {
  productList(first: $first) {
    length
    edges { node { id name brand identifier enabled timeUpdated } }
  }
}
"""


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Six fields of each product, and how many there are."""
    return await measure_page(
        ground, size, name="50 products, shoppo", stand_name="b2", query=QUERY, path="/products"
    )


BENCH = Bench(
    id="B2",
    title="a page of 50 products through GraphQL",
    compared_with="a bare Starlette app on the same server: one query for the same products, the same JSON",
    full={"calls": 3_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
