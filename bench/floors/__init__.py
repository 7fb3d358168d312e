"""The programs that the benchmarks are compared with: the same work, and nothing around it."""
