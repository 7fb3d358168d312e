"""Commands: run, check and maintain the server."""
