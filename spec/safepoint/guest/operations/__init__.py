"""What each instruction computes or raises: one definition for both machines, tested against CPython.

instructions: `RESULTS`, one line an opcode; exceptions, and faults of calls
operators: unary and binary operators
comparison: equality, order, `is`, `in`
sequences: operations on lists and strings, and what a `for` iterates over
builtins: the built-in functions
text: `str`, `repr` and `print`
threads: which operations on threads and locks raise, and when a blocked one may go on
values: truth, type names, limits of sizes
"""
