"""The guest programs of the campaigns.  `go` is a variable that the host sets to 0 when they are to end."""

from __future__ import annotations

LOOP = """
go = 1
n = 0
while go:
    n = n + 1
"""

CALLS = """
go = 1
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
while go:
    fib(10)
"""

NATIVE = """
from time import sleep
go = 1
n = 0
while go:
    n = n + 1
    print(n)
    if n % 4 == 0:
        sleep(0)
"""

MANY = """
from threading import Thread
from time import sleep
go = 1
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
def work(me):
    n = 0
    while go:
        n = n + 1
        if me % 3 == 0:
            fib(5)
        elif me % 3 == 1:
            print(n)
        elif n % 8 == 0:
            sleep(0)
threads = []
for i in range(THREADS):
    threads.append(Thread(target=work, args=(i,)))
for t in threads:
    t.start()
for t in threads:
    t.join()
"""

PRINTS = """
go = 1
n = 0
def more(n):
    return n + 1
while go:
    n = more(n)
    print(n)
"""
"""As NATIVE, and each turn pushes a frame: where loops check nothing, that alone sees a request.  No thread sleeps."""

APART = """
from threading import Thread
go = 1
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
def work(me):
    n = 0
    while go:
        n = n + 1
        fib(5)
        if me == 1:
            print(n)
for i in range(2):
    Thread(target=work, args=(i,)).start()
work(2)
"""
"""Several threads, of which none waits for another; each turn pushes frames."""

ALONE = """
from safepoint.guest.api import collect
go = 1
n = 0
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
def deep(n):
    return deep(n + 1)
def turn(n):
    kept = []
    for j in range(20):
        kept.append(str(j) + "x")
    fib(6)
    print(n)
    if n % 8 == 0:
        collect()
    if n % 32 == 31:
        try:
            deep(0)
        except RecursionError:
            kept = []
while go:
    n = n + 1
    turn(n)
"""
"""What one thread can do by itself: calls, allocation, overflows, native regions, collections."""

ALONE_MASKED = ALONE.replace("import collect", "import collect, masked").replace(
    "    fib(6)\n    print(n)\n", "    fib(6)\n    with masked():\n        for j in range(10):\n            print(j)\n"
)
"""The same, with critical sections."""
assert "with masked()" in ALONE_MASKED


def allocating(source: str) -> str:
    """The same program, whose functions that only compute display a list first."""
    for name in ("fib", "more"):
        head = f"def {name}(n):\n"
        source = source.replace(head, f"{head}    kept = [n]\n")
    return source


STORM = """
from threading import Lock, Thread
from time import sleep
from safepoint.guest.api import collect, handshake, interrupt, masked
go = 1
lock = Lock()
raised = 0
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
def deep(n):
    return deep(n + 1)
def work(me, other, turns):
    global raised
    kept = []
    for i in range(turns):
        try:
            fib(6)
            for j in range(20):
                kept.append(str(j) + "x")
            if len(kept) > 200:
                kept = []
            print(i)
            sleep(0)
            with masked():
                for j in range(10):
                    sleep(0)
            if i % 8 == me:
                collect()
            if i % 8 == 7:
                lock.acquire()
                lock.release()
                handshake(other)
                interrupt(other)
            if i % 32 == 31:
                deep(0)
        except KeyboardInterrupt:
            raised = raised + 1
        except RecursionError:
            kept = []
last = Thread(target=fib, args=(3,))
last.start()
n = 0
while go:
    threads = []
    for i in range(2):
        last = Thread(target=work, args=(i, last, 40))
        threads.append(last)
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""
"""All at once: calls, allocation, overflows, native regions, sleeps, masks, collections, locks, births and ends."""
