"""The core: catalogue, stock, orders, partners. It imports no channel and no web framework."""
