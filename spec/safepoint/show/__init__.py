"""What people see: tables, failures in words, pictures, and the HTML page.

tables: tables on a terminal
progress: progress on a terminal, and what is said of it where there is none
mistakes: the mistakes of the interpreter, and what shows each
under: threads under other policies than folded: a line for each
mutations: what `mutate` found: a line for each operator, and each survivor as a change of the text
policies: what `policies` found: a line for each policy
points: policies as points of a plot: bound against cost
bench: what `bench` found: the tables, where it ran, and where ours loses
bench_page: the same as what stands between the markers of a page
orders: what `orders` found: a line for each access
campaign: what `campaign` did, what was there already, what it found
distance: what `distance` found: a line for each measure, the longest way, and what has no bound
traces: the verdict on a trace, in words
failures: what refutes a claim, in words, with the command that replays it
proved: the policies as `verify` has found them, for that page
report: the HTML page of `verify --report`; its text is in report.html
svg: a path as a picture
lanes: what a picture consists of: a lane for each thread, a rail for each word
footer: what stands under a picture: legend, glossary, and the command that replays it
profiles: a profile as a file: collapsed stacks, speedscope's format; and in one line
flames: a profile as a flame graph
latency: a histogram of durations as a picture
shapes: the sheet and the shapes that pictures are drawn with
"""
