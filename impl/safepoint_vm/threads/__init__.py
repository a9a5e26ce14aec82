"""Guest threads: their records, what they do outside machine code, and their drivers.

thread: a guest thread, and the ways into machine code and out of it
unwind: unwind for exceptions that the host raises, or that are uncaught
host_operations: instructions that machine code leaves to the host
life: what a guest thread does outside machine code
sampling: who asks guest threads for samples, and drains them
recording: the trace of a run
policies: under which policies threads can be scheduled and raced
world: the world, its threads and its stops
os_thread: a guest thread on an OS thread of its own
vm: run a program on OS threads
session: a program that grows input by input
mutated: mistakes in what the host does, for the mutants of the interpreter
mutated_drivers: mistakes of its OS threads
lockstep: guest threads in lockstep, on one OS thread
"""
