"""Commands: stock, fulfilment, and where orders go."""
