"""What does not depend on a number of threads, and second opinions on the explorer.

any_number: whether a world of one thread decides for every number of them, or the statements that forbid it
turns: loops over threads, and what one turn hands on to the next
simulation: what a requester does as one thread sees it, in a world of many and in a world of one
guarded: the steps of a graph as guarded commands, enumerated apart from the explorer
promela: a model written out for Spin
symbolic: the guarded commands of a role as z3 terms, for any number of threads
places: the core roles of a text, and the places and names that the invariant speaks of
invariant: the invariant of the core rules, written by hand
induction: that the invariant holds at first, that every step keeps it, and that the properties follow
"""
