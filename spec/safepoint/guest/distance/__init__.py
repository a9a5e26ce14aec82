"""How far a guest program may run between two checks, found without running it.

kinds: kinds of values, as bits
flow: which kinds come where, and so which functions a call may reach
raises: which instructions may raise
work: the bulk work of an instruction, and whether its polls lie in between
longest: the longest way through a graph that may have cycles
ways: the ways of a program between two checks, as such a graph
measure: `static_distance`, in frames, back-edges, instructions and units of work
installed: the same of compiled code, as a VM would install it, beside its bytecode
"""
