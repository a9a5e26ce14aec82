"""Weak memory: what C11 lets a thread read, as a machine of views; and how a thread of a model moves on it.

states: a memory: of each word its stores, of each thread what it may read; and words that are read as one number
normal: one memory for all that no thread can tell apart, and the bound on stale stores
views: the machine: what loads, stores, locked operations and fences do to a memory
instructions: what an instruction of a real machine orders, and what an access that is compiled to some comes down to
targets: x86-64, AArch64, RISC-V, POWER: what LLVM makes of each access
turns: AArch64's loads and stores that keep their turn, and where that cannot be told
names: the memory models by name, and what a verdict under each is worth
data: what is handed over under the protocol, and who must have seen it
process: a thread of a model on the machine
attach: a machine for a model: who reads and who writes each word
"""
