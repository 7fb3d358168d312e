"""Catalogue import and export: four file formats, one writer."""
