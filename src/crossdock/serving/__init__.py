"""The server's processes: start, supervise and stop them; find the address they listen on."""
