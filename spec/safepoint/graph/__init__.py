"""A protocol text as it is read, and the graphs of atomic steps that it becomes.

text: a text: its words, constants, procedures and mutants, and the one way to complain about it
source: a file as Python parses it, the same tree for each text that reads it
added: words that a trigger of a user's own adds
gather: which files make a text
accesses: its accesses by name, and mutants of their orders
orders: the orders of an access, as C11 and LLVM name them
collector: Python's collector, while graphs are executed
instance: what is fixed when it is compiled, and what a compilation asks of that
lower: the front end: a procedure or a role becomes a graph
check: all procedures and mutants of a text, each of which must become one
loops: loops and atomic blocks in it
expressions: expressions in it, with at most one shared access
scope: where a statement stands: its names, and where it leads
constants: what a text calls the values of a word
ir: the graph itself: steps, and local work between them
flow: what follows from its steps alone: which locals survive a wait
normal: its normal form: two graphs with one digest do the same
execute: one thread's way through it
"""
