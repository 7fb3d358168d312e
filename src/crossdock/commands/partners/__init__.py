"""Commands: who buys: partners, their keys and prices, customers."""
