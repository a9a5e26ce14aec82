"""THE PROTOCOL: the mechanisms, a file each, with the same procedures in the same order (`trigger` declares them).

A policy names its file.  Read the core and one of these, and you have read that VM's whole protocol; its own mistakes stand
beside its own right lines.

limit_and_table: the stack limit, and a dispatch table for each thread; pending bits beside them
patched_jumps: the same, and jumps of compiled code that a requester overwrites for all threads
bits_in_limit: the stack limit is a limit, or it is the request bits: one word
limit: the stack limit alone; pending bits beside it
limit_and_budget: the same, and a budget of back-edges that only its owner counts
flag: the pending bits are tested by themselves
heap_limit: the end of what may be allocated; pending bits beside it
epoch: a counter for all threads, and a deadline of each
page: a load from a page that may be protected
ticker: every check counts a ticker down, without a lock
"""
