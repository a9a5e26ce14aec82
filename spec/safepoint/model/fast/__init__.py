"""Searches over numpy arrays, for states by the million: they find what those of the model find.

search: the explorer
backward: what must happen in the end
table: sets of states
"""
