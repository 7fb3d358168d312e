"""Channels of nobody, one per way to prove a caller; each answers who called, and nothing else.

Their modules have the shape of a channel's folder, so that a registry line mounts them.
"""
