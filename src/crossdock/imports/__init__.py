"""Catalogues in from files, and out again: four formats, one way of writing."""
