"""Claims about the whole program, tested on real processes over real sockets."""
