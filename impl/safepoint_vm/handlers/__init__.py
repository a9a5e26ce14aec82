"""The opcodes, one module a family.

moves: constants, slots, globals
arithmetic: + - * /
division: // % **
bits: << >> & | ^
unary: - + ~ not
comparison: order, equality, identity, membership
concat: strings and lists as operands of + and *
control: jumps, loops and their check sites
calls: frames and their check site, printing, the entrances for the host
sequences: lists and strings: elements, slices, iteration
lists: lists that grow and shrink
text: str, f-strings, int of digits
builtin: built-in functions
exceptions: make, raise, catch and match
threads: threads and locks
requests: interrupt, handshake, collect, critical sections
entering: from the interpreter to compiled code
fused: superinstructions, sequences of opcodes
mutated: handlers with a mistake, for the mutants of the interpreter
table: all of them, in the order of the guest's opcode table
shared: what families share, and the collector
"""
