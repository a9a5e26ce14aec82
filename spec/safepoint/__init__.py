"""VM safepoints by a poisoned stack limit: an executable specification, and a judge for VMs.

protocol: the protocol as text, with its rules and policies: all that is normative
graph: the text compiled to a graph of atomic steps
model: the graph as a transition system: what must hold, search, bounds, paths
proof: any number of threads, and second opinions
guest: the guest language, its compiler, and its reference machine
conform: the judge of a VM: what it must offer, and what is claimed of it
trace: what a VM logs of a run, and whether the protocol explains it
emit: the text as C: a header for a VM of your own
differential: two machines, one program, the same requests at the same places
verify: the work behind `verify`, `explore` and `replay`
bench: the interpreter beside others, in time
show: tables, pictures, and the HTML page
cli: the commands
"""
