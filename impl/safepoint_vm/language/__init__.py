"""What a handler is written in.

vocabulary: types and operations
machine: what a handler sees of the machine, and the ways to leave it
words: tags, headers, and the structs of objects and frames; with `records`, the only place with tags and offsets
records: the structs of threads, worlds and logs
samples: what a profiled thread keeps, and how a sample lies in memory
signals: what the handler of SIGSEGV works on
pages: pages of memory, and what may be done to them
layout: the offsets of structs, and memory for them
tagged: Python values to tagged words and back
"""
