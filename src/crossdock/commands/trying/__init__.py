"""Commands: the demo shop."""
