"""Litmus tests: two of the text's compiled procedures race on two cores, and each outcome is declared.

declared: the tests, and what may come of each
meet: where two sides meet, and the loop of each
loops: the tests as machine code
text: the procedures that they race
run: run a test
"""
