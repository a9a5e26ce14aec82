"""Guest programs and objects in real memory.

objects: guest objects as bytes
image: a guest program for machine code, and back from addresses to instructions
heap: two spaces, TLABs and collections
references: Refs in use while objects move
value_view: tagged words and values
heap_view: `safepoint.guest.heap.Heap` over machine memory
"""
