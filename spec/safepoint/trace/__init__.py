"""What a VM logs of a run, and the acceptor that explains it by the protocol, or names the first event that it cannot.

The acceptor has no protocol of its own: it runs the graphs that were explored, and `observe` says which event a step is.

lines: what every line has; the header and the closing record
events: the closed set of events
files: a trace as lines of JSON, written and read one by one; what was changed afterwards is found
schema: the JSON Schema of a line
schema.json: the same, published
observe: which event a step of the protocol's text is
layout: the text, compiled for a trace; the words of its world
places: where a thread may stand, and what it can do there
hidden: where steps that are no event may lead
crowd: all the places of one thread as one value
candidate: one way in which events may have happened: the words, and where each thread may stand
doubt: words and threads of which several ways are possible, apart from everything else
steps: what events lead to, worked out once for each neighbourhood
ways: all the ways that are possible: what is certain, and the doubts
world: lets events happen in all the ways
orders: accesses that overlap, in each order that matters
accept: the acceptor
bounds: the declared bound, counted along a trace
citing: which rule a line of the text obeys
refusal: the rule that an event breaks, and what was possible instead
walk: the order in which a coordinator asks the threads
verdict: a whole trace judged
"""
