"""The `safepoint` command: it reads options, calls a room below, and prints what that found.

entry: where a process begins, and Control-C
main: the command group, and `verify`
protocol: `explore`, `replay`, `rules`
given: what several commands are given: a policy, the size of a stack; files of a text, scopes, a mutant
mutate: `mutate`
policies: `policies`
orders: `orders`
campaign: `campaign`
guest: `run`, `conform`
profile: `profile`
distance: `distance`
trace: `accept`
emit: `emit`
console: errors of one line, files to write
status: the exit statuses
"""
