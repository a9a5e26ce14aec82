"""What families of opcodes share, and the collector.

values: test, unpack and make tagged values
numbers: arithmetic and comparison of floats, and of an int with a float
compare_values: equality, order and membership of any values
checks: the checks that a mechanism makes by instructions of its own
elsewhere: the check sites of returns and of allocations, and what is done when they fail
page_faults: the handler of SIGSEGV
work: count the work of an instruction, and look for a request
layout: build strings and lists
allocation: TLABs, and what an instruction does without room
sampling: samples of a thread, for a profile
ticking: ask the threads of a world for samples
collector: the copying collector, and the check that a heap is sound
faults: faults that machine code raises itself
exits: the ways out for an instruction that machine code cannot finish
families: make the handlers of several opcodes
"""
