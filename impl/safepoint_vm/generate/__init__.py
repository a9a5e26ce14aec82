"""Compile handlers and the protocol's text to machine code.

instruction: the format of an instruction, the assembler, and dispatch
ir_values: typed IR values, memory places, and errors of the handler compiler
expressions: compile expressions of the handler language
calls: compile its calls
compiler: compile its functions and statements
triggers: the trigger words in a thread's record
protocol: compile the protocol's graph
engine: handlers, protocol and variant to executable code
cache: compiled engines on disk
"""
