"""The judge: what a VM must offer to be judged, what is claimed of it, and the pytest plugin that holds it to that.

target: `Target`, the interface that a VM's adapter implements, and what it observes
threaded: `ThreadedTarget`, most of an adapter for a VM whose guest runs on a thread of its own
programs: the guest programs that the judge runs
outcomes: what Python does with an interrupt, wherever in a program it is raised
counted: does the adapter count the checks for which a bound is declared?
runs: a program with requests posted at chosen steps, and the distances to where they were seen
distances: numbers of checks by kind, and what they are called
claims: what is claimed of every VM with safepoints, by name
running_claims: the claims about one thread that runs
further_claims: those about requesters, handlers, critical sections, blocked guests and several threads
schedules: random schedules, which shrink: a state machine over any target
judge: find a target by name, hold the claims against it
plugin: the pytest plugin
test_claims: one test for each claim, for `pytest --pyargs safepoint.conform`
"""
