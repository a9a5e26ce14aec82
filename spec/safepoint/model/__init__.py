"""The protocol's text as a transition system: compiled, explored, judged.

system: the threads of a scope, and the layout of their states
scopes: what is explored: the named instances, with the reason for each bound
process: one thread of a model: its fields, and its moves
moves: one move, and how it is told
fields: bits of a packed state that belong together
layout: where the shared state is in it
widths: how many bits each word and local needs
memory: weak memory: C11 as a machine of views
explore: the explorer: breadth first, so that a counterexample is a shortest one
engines: which search runs
fast: searches over numpy arrays
properties: what must hold in every state
required: what a text must have to be judged by them
activity: what each step says of its thread
eventually: what must happen in the end
goal: what that is, and what is not counted on
closed: the sets of states that are never left
rest: where a thread may stand for ever, and nothing is wrong
fairness: how many stops in a row find a thread that wants to run guest code
bounds: how many checks until a request is seen, exactly
late: a path for a finite bound that is too large
path: a path through the states, and the string that replays it
counterexample: a path as text
mutants: every mistake of the text, hunted in the smallest scope that shows it
mutation: every simple mistake of the text
operators: each makes mistakes of one kind
edits: a procedure with one statement changed
kills: all properties that a mistake breaks
environment: our protocol with other roles
own_policies: a policy of a user's own, read from its file
sound_policy: what a policy may not say
custom: a text of one's own: its roles and scopes, and what it is judged by
roles: its roles
carriers: where its requests are pending
custom_goals: what must happen in it in the end
custom_bounds: when a request is posted in full, so that checks can be counted
global_claims: claims that read any word of any thread
"""
