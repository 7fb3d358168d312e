"""The benchmarks in the order in which they are run."""

from bench.measure import Bench
from bench.runs import b01_page, b03_orders, b04_hot, b07_catalogue

BENCHES: list[Bench] = [
    b01_page.BENCH,
    b03_orders.BENCH,
    b04_hot.BENCH,
    b07_catalogue.BENCH,
]
