"""Our two machines, one program, the same requests at the same places: every observation must be equal.

corpus: guest programs by name
schedule: where a request is posted, and what else happens meanwhile
stepped: a target that the judge drives step by step
reference: the reference machine as such a target
runs: one schedule on a target; the reference machine's runs of a program
compare: all schedules of a program, on both machines
fuzz: programs that no programmer would write, made from a seed, and judged
controlled: runs whose threads a scheduler controls, at every shared access
schedulers: who goes on: replayed, drawn, by random priorities, or every way up to a number of preemptions
small: the guest programs of such runs
cases: these, and who asks what of them meanwhile
follow: such a run judged: by its trace, and by the reference machine under the same schedule
mistakes: those of an interpreter in what is not generated from the text
cores: runs on real cores, which are counted, not compared
costs: what the checks of a policy cost an interpreter
installing: what compiled code an interpreter would install
switchable: what superinstructions bring one
"""
