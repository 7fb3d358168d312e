"""Break the code on purpose, one small place at a time, and see whether a test notices.

`make mutants` runs it; see docs/decisions/0022-mutants.md. A change of one place is a mutant; a test
that fails on it kills it; one that no test notices survives, and wants a test or a verdict.
"""
