"""The guest language: a subset of Python 3, its register code, and the reference machine that runs it."""
