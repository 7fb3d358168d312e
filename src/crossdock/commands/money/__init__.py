"""Accounts, and what was posted to them."""
