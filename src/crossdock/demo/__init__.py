"""The demo shop: generated products, merchants and partners, the same for the same seed."""
