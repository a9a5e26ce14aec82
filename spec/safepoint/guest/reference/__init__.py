"""The reference machine: slow, obvious, forkable at every instruction; its check sites run the protocol's graph.

vector: a persistent vector
heap: the heap, made of persistent vectors
copying: copies of objects with some attributes changed
state: a guest thread between two instructions
effects: what each opcode does to a state
words: the words that all threads share
sites: a thread's protocol words and check sites
machine: one guest thread: check site, then effect
world: several guest threads in lockstep
run: `safepoint run --machine reference`
"""
