"""Compile handlers and the protocol's text to machine code.

variant: what is decided when an engine is compiled
engine: handlers and protocol, in variants, as executable code
kept: images of machine code on disk
cache: object files and images on disk
host_cpu: what of this machine decides machine code
code_image: an image of machine code, and it in memory
assembler: the format of an instruction, and the assembler
page_faults: the process's handler of SIGSEGV
triggers: the trigger words in a thread's record

What follows is for code that is not kept:

instruction: the IR that decodes operands, and dispatches
ir_values: typed IR values, memory places, and errors of the handler compiler
expressions: compile expressions of the handler language
calls: compile its calls
statements: compile its statements
compiler: compile its functions, and superinstructions
procedures: the procedures of the protocol's text, as handlers and the host call them
protocol_expressions: compile its words and expressions
observer: what the operation of a handshake does
page_checks: checks that load from a page, and the table of them
on_fault: the machine code of the handler of SIGSEGV
realized: compile accesses of what the text has for a word, and the machine has not
hooks: what the hook of its code is told of each access
protocol: compile its steps: the protocol's graph
counted: what the text says of checks that handlers make, and the hook in one that counts
tracing: the traced variant: every access of the protocol's code is logged
sampling: the profiled variant: what serves SAMPLE takes a sample
mutated: mistakes in how the text is compiled, for the mutants of the interpreter
substitutes: handlers that take the place of the right ones
object_code: optimize LLVM IR, emit object files
linker: link object files to an image
listing: machine code as assembly, and the fast path through a handler
parts: the parts of an engine that are compiled apart
build: compile and link them
"""
