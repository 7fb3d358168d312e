"""Commands: partners, their keys and prices, customers."""
