"""The guest language: a subset of Python 3, its register code, and the reference machine that executes it.

code: the opcode table, and the form of a compiled program
values: the guest's values, and how they differ from CPython's
faults: exceptions of the guest, syntax errors, tracebacks
heap: what an operation needs of a machine's heap
lockstep: the order in which the threads of a world take turns
operations: what each instruction computes or raises, for both machines
compiler: Python source -> register code
verifier: what must hold of code before a machine runs it
reference: the reference machine
distance: how far a program may run between two checks, found without running it
profile: what a profiled run has sampled
features: which features of the protocol a program needs
api: what a guest program imports besides the standard library
"""
