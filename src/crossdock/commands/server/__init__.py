"""Commands: running, checking and keeping the server."""
