"""The interpreter beside others: the same guest programs in several languages, in turn, in one run.

run: one run of the bench: what was measured, and where it ran
sizes: the guest programs, in each of their sizes
languages: the interpreters that are compared
children: guest programs as processes, and whether all print the same
rounds: the rounds: every program in every interpreter, between two starts of each
summary: from times to ratios within a round
switched: the interpreter with each of its optimisations, and without
"""
