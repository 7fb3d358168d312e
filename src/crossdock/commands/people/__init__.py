"""Commands: who signs in, and who looks after customers."""
