"""The `safepoint` command: it reads options, calls a room below, and prints what that found.

entry: where a process begins, and Control-C
main: the command group
verify: `verify`
protocol: `explore`, `replay`, `rules`
given: what several commands are given: a policy, sizes; files of a text, scopes, a mutant; and the way to the interpreter
entry_points: find the interpreter, or a VM of others
mutate: `mutate`
policies: `policies`
orders: `orders`
campaign: `campaign`
guest: `run`, `conform`
profile: `profile`
bench: `bench`
repl: `repl`
prompt: its prompt at a terminal
screen: where guest threads write beside a prompt
distance: `distance`
trace: `accept`
emit: `emit`
console: errors of one line, files to write
status: the exit statuses
"""
