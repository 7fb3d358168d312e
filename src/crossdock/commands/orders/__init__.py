"""Commands: orders, stock, fulfilment, deliveries."""
