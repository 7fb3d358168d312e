"""The doors: one folder per partner protocol, none of which imports another."""
