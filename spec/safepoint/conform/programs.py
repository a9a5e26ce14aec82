"""The guest programs that the judge runs: small, so that posting before *every* step is affordable.

The language is the smallest useful subset of Python: `def`, `while`, `for … in range`, `if`, integers, `print` of one value; and,
where a program `needs` them, exceptions, critical sections, locks and threads.  A VM of another language keeps translations under
each `name`, which `Target.load` gets as `file`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """`output`, `error`: of an undisturbed run; names of errors are Python's.  `stack`: slots, as `Target.load` takes them.
    `needs`: the abilities (`target.ABILITIES`) without which it is left out.
    """

    name: str
    source: str
    output: str
    error: str = ""
    stack: int = 1024
    needs: frozenset[str] = frozenset()

    @property
    def masks(self) -> bool:
        """Has it critical sections, in which an INTERRUPT has no bound?"""
        return "masks" in self.needs


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
    needs=frozenset({"stack"}),
)

CATCHES = Program(
    "catches",
    """\
def work(n):
    i = 0
    try:
        print(1)
        while i < n:
            i = i + 1
        print(2)
    except KeyboardInterrupt:
        print(3)
    finally:
        print(4)
    return i

turn = 0
while turn < 3:
    x = work(4)
    turn = turn + 1
print(5)
""",
    "1\n2\n4\n" * 3 + "5\n",
    needs=frozenset({"exceptions"}),
)

CLEANS_UP = Program(
    "cleans-up",
    """\
def inner(n):
    i = 0
    try:
        print(1)
        while i < n:
            i = i + 1
        print(2)
    finally:
        print(3)
    return i

def outer(n):
    x = 0
    try:
        print(0)
        x = inner(n)
        print(4)
    finally:
        print(5)
    return x

x = outer(4)
print(6)
""",
    "0\n1\n2\n3\n4\n5\n6\n",
    needs=frozenset({"exceptions"}),
)

MASKED = Program(
    "masked",
    """\
from safepoint.guest.api import masked

def spin(n):
    i = 0
    while i < n:
        i = i + 1
    return i

x = spin(2)
with masked():
    print(1)
    x = spin(3)
    with masked():
        x = spin(2)
    x = spin(3)
    print(2)
x = spin(6)
print(3)
""",
    "1\n2\n3\n",
    needs=frozenset({"masks"}),
)

BLOCKED = Program(
    "blocked",
    """\
from threading import Lock

lock = Lock()
lock.acquire()
print(1)
lock.acquire()
print(2)
""",
    "1\n",
    needs=frozenset({"locks"}),
)
"""Alone it never ends: it waits for a lock that it holds itself.  Its error, once an INTERRUPT has come, is KeyboardInterrupt."""

THREADS = Program(
    "threads",
    """\
from threading import Lock, Thread

gate = Lock()
first = 0
second = 0

def one(n):
    global first
    with gate:
        i = 0
    while i < n:
        i = i + 1
    first = i

def two(n):
    global second
    with gate:
        i = 0
    while i < n:
        i = i + 1
    second = i

a = Thread(target=one, args=(5,))
b = Thread(target=two, args=(7,))
with gate:
    a.start()
    b.start()
    i = 0
while i < 3:
    i = i + 1
a.join()
b.join()
print(first)
print(second)
""",
    "5\n7\n",
    needs=frozenset({"locks", "threads"}),
)

BIRTHS = Program(
    "births",
    """\
from threading import Thread

total = 0

def work(n):
    global total
    i = 0
    while i < n:
        i = i + 1
    total = total + 1

turn = 0
while turn < 3:
    t = Thread(target=work, args=(2,))
    t.start()
    t.join()
    turn = turn + 1
print(total)
""",
    "3\n",
    needs=frozenset({"threads"}),
)

ALONE = (LOOPS, CALLS, RECURSIVE, NESTED, TO_THE_LIMIT, CATCHES, CLEANS_UP, MASKED)
"""Those with one thread that ends by itself."""
PROGRAMS = (*ALONE, THREADS, BIRTHS)
"""Those that end by themselves."""
