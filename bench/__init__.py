"""The benchmarks: each figure is a ratio to a limit that is measured in the same minutes."""
