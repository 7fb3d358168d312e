"""Change the code in one small place at a time, and check whether a test fails.

`make mutants` runs it; see docs/decisions/0022-mutants.md. Such a change is a mutant. A test
that fails on it kills it; one that survives all tests needs a new test or a verdict.
"""
