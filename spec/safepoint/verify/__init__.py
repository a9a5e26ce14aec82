"""The work behind `verify`, `explore` and `replay`: it decides, and prints nothing.

run: `verify`: all sections, in order
text: the protocol text: its scopes, its mutants, and the arguments for any number of threads
explore: the verdict on one scope; `explore`
interpreter: the interpreter against the reference machine, with and without mutants
controlled: the interpreter under controlled schedules, with and without mutants
under: threads under every other policy that has machine code
cores: the interpreter on real cores, with and without mutants
judging: the judge and an adapter, in a process of its own
mistakes: mistakes of the interpreter that are in no line of the text, and what shows each
mutate: `mutate`: every simple mutation of the text, and which of them no property catches
mutation: one mutation, explored where it changes a graph
fuzzing: fuzzed programs on the interpreter, in a process of its own
orders: `orders`: the weakest order of each access with which the text holds
policies: `policies`: each policy's bound, proved and observed, and what its checks cost
attempts: one attempt at weaker orders
campaign: `campaign`: what takes hours, as independent jobs
replay: `replay`: a path of the model, or a schedule on a target
report: all sections together, and the interface that shows progress
rows: the records of each section, which are the JSON
workers: the processes that work, and Control-C
cluster: a Dask cluster in their place
kept: results in a directory, so that only what is missing is made
identity: which program it is, in which version
failures: what refutes a claim, as data
"""
