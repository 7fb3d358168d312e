"""The demo shop: goods, merchants and partners made up by this program, the same for the same seed."""
