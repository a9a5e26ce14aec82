"""A policy's protocol as C: the text that the explorer explores, a function for each of its procedures.

header: the whole header
title: what stands at its top
choose: which procedures a policy's header has
fold: a text with its choices made: a mutant, the features
kinds: what is an address, a number, an outcome
expressions: expressions in C
statements: statements in C
accesses: the accesses of the text as C11 spells them
locals: where a local is declared
vms: where the VM has its say in a procedure, and what C asks for
waits: which accesses end a wait
events: which event of a trace an access is
layout: constants, the record of a thread, the world
fixed: hooks, and what is the compiler's
prose: comments
"""
