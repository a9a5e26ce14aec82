"""The judge: what a VM must offer to be judged, what is claimed of it, and the pytest plugin that holds it to that.

target: `Target`, the interface that a VM's adapter implements, and what it observes
programs: the guest programs that the judge runs
runs: a program with requests posted at chosen steps, and the distances to where they were seen
claims: what is claimed of every VM with safepoints
judge: find a target by name, hold the claims against it
plugin: the pytest plugin
test_claims: one test for each claim, for `pytest --pyargs safepoint.conform`
"""
