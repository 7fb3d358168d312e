"""Crossdock: one catalogue, one stock and one order book, sold through many partner APIs."""

__version__ = "0.1.0"
