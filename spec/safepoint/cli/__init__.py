"""The `safepoint` command: it reads options, calls a room below, and prints what that found.

main: the command group, and `verify`
protocol: `explore`, `replay`, `rules`
mutate: `mutate`
guest: `run`, `conform`
console: exit statuses, errors of one line, files to write
"""
