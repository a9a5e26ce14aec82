"""The second tier: hot guest functions as machine code of their own, copied from templates of the handlers and patched.

The bytecode stays where it is, so return addresses, tracebacks, exception handlers and the host find their way as before; only the
numbers of the opcodes change, so that a thread that comes to an instruction goes on in its compiled code.

install: which functions are hot, and how their code comes into use
loops: where the loops of a function are
memory: where bytecode and compiled code lie
template: what a template is

What follows is for a program that gets hot, or for templates that are not kept:

stitch: make the machine code of a function
made: the templates of a variant, kept or made
templates: make the templates
walk: read where the machine code of a function goes, as a processor does
"""
