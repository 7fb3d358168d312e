"""The proof: claims about the whole program, tried against real processes over real sockets."""
