"""Guest threads: their records, what they do outside machine code, and their drivers.

thread: a guest thread: what it begins with, and what it leaves machine code for
context: its record, its stack, the way into machine code, and where it stands
beginning: a thread's record before its first check
unwind: unwind for exceptions that the host raises, or that are uncaught
host_operations: instructions that machine code leaves to the host
life: what a guest thread does outside machine code
sampling: the sampler, which asks guest threads for samples and drains them
recording: the trace of a run
logs: what each actor of it has logged, and where that is cut
policies: under which policies threads can be scheduled and raced
world: the world, its threads and its stops
os_thread: a guest thread on an OS thread of its own
vm: run a program on OS threads
signals: the signals that it is handed meanwhile
session: a program that grows input by input
mutated: which class is made of what the host does: the right one, or a mutant's
mutated_hosts: mistakes in what the host does, for the mutants of the interpreter
mutated_drivers: which class is made of a guest thread's OS thread
mutated_os_threads: mistakes of these
lockstep: guest threads in lockstep, on one OS thread
"""
