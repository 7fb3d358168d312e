"""The reference programs of the benchmarks: each does the same work and nothing else."""
