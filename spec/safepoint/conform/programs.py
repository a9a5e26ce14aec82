"""The guest programs that the judge runs: small, so that posting before *every* step is affordable.

All of them end.  The language is the smallest useful subset of Python: `def`, `while`, `for … in range`, `if`, integers,
`print` of one value.  A VM of another language keeps translations under each `name`, which `Target.load` gets as `file`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """`output`, `error`: of an undisturbed run; names of errors are Python's.  `stack`: slots, as `Target.load` takes them."""

    name: str
    source: str
    output: str
    error: str = ""
    stack: int = 1024


LOOPS = Program(
    "loops",
    """\
i = 0
total = 0
while i < 12:
    total = total + i
    i = i + 1
print(total)
""",
    "66\n",
)

CALLS = Program(
    "calls",
    """\
def one(x):
    return x + 1

def two(x):
    return one(one(x))

def four(x):
    return two(two(x))

print(four(four(0)))
""",
    "8\n",
)

RECURSIVE = Program(
    "recursive",
    """\
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)

print(fib(5))
""",
    "5\n",
)

NESTED = Program(
    "nested",
    """\
def square(x):
    return x * x

total = 0
for i in range(3):
    j = 0
    while j < 3:
        total = total + square(i + j)
        j = j + 1
    print(total)
""",
    "5\n19\n48\n",
)

TO_THE_LIMIT = Program(
    "to-the-limit",
    """\
def down(n):
    return down(n + 1)

print(down(0))
""",
    "",
    error="RecursionError",
    stack=128,
)

PROGRAMS = (LOOPS, CALLS, RECURSIVE, NESTED, TO_THE_LIMIT)
