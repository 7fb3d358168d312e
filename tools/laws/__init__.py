"""The project's own small laws, by what they read: code, layout, texts, words."""

from tools.laws.tree import Finding, Law, Tree

__all__ = ["Finding", "Law", "Tree"]
