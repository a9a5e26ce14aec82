"""Guest threads and requesters on OS threads of their own, one running at a time, as a scheduler decides.

baton: the OS threads, and which one runs
words: the shared words in memory, by address; and stores that reach memory late
recorder: what happens, as a trace
sites: the checks of instructions, in a trace
compiled: compiled code in a controlled run
build: what the runs of a program share
actors: a guest thread, and a requester
run: one run of a case: the world, and what machine code calls
offer: what the interpreter offers `verify` of this
"""
