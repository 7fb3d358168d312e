"""Anything of a shop by a number, an address or a name, for who may see it."""

from crossdock.shop.finding.finding import HITS_MAX, Hit, HitKind, find_anything

__all__ = ["HITS_MAX", "Hit", "HitKind", "find_anything"]
