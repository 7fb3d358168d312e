"""Commands: the ledger."""
