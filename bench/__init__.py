"""The benchmarks; each figure is a ratio to a reference that is measured at the same time."""
