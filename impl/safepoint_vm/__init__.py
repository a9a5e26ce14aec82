"""The interpreter: machine code generated from typed, restricted Python (Linux x86-64).

language: what a handler is written in
handlers: the opcodes, one module a family
generate: compile handlers and the protocol's text to machine code
tier: compiled code, copied from templates of the handlers and patched
memory: guest programs and objects in real memory, and the heap
threads: guest threads, on OS threads or in lockstep
schedules: guest threads and requesters one at a time, as a scheduler decides
cores: campaigns on real cores, without the GIL
mutants: mistakes to be put in, by name
costs: what each policy's checks cost it
installed: what it would install of a program, read from memory and asked
switchable: itself with each optimisation and without, timed
target: the interpreter as a target of the judge
"""
