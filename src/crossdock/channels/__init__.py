"""The channels: one folder per partner protocol; none imports another."""
