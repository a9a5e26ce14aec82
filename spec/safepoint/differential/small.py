"""The guest programs of controlled schedules: small ones.

A program says `Thread(` at least once for each thread beside the first that may live at once: a trace names every record in its header.
"""

from __future__ import annotations

STACK = 256
PROGRAMS: dict[str, str] = {
    "loop": """def f(n):
    return n + 1
i = 0
while i < 2:
    try:
        i = f(i)
    except KeyboardInterrupt:
        print("interrupted")
print(i)
""",
    "calls": """def f(n):
    return n + 1
f(f(1))
""",
    "masked": """from safepoint.guest.api import masked
def f(n):
    return n + 1
i = 0
try:
    with masked():
        i = f(i)
    i = f(i)
except KeyboardInterrupt:
    print("interrupted")
print(i)
""",
    "prints": """print("one")
print("two")
""",
    "asleep": """from threading import Lock
lock = Lock()
lock.acquire()
try:
    lock.acquire()
except KeyboardInterrupt:
    print("woken")
""",
    "cleans up": """from safepoint.guest.api import masked
def f(n):
    return n + 1
i = 0
try:
    i = f(i)
finally:
    with masked():
        i = f(i)
    i = f(i)
""",
    "goes on": """from safepoint.guest.api import terminable
def f(n):
    return n + 1
i = 0
with terminable():
    try:
        i = f(i)
    finally:
        i = f(i)
i = f(i)
print("on")
""",
    "overflows": """def f(n):
    return f(n + 1)
try:
    f(0)
except RecursionError:
    print("too deep")
""",
    "births": """from threading import Thread
def work(n):
    for i in range(2):
        total[n] = total[n] + 1
total = [0, 0]
for n in range(2):
    t = Thread(target=work, args=(n,))
    t.start()
    t.join()
print(total)
""",
    "collects": """from threading import Thread
from safepoint.guest.api import collect
def work():
    global total
    for i in range(2):
        total = total + 1
    collect()
total = 0
t = Thread(target=work)
t.start()
work()
t.join()
print(total)
""",
    "starts": """from threading import Thread
def f(n):
    return n + 1
def work(n):
    f(f(n))
t = Thread(target=work, args=(1,))
t.start()
f(f(2))
""",
    "asks": """from threading import Thread
from safepoint.guest.api import interrupt, handshake
def work():
    try:
        for i in range(4):
            pass
    except KeyboardInterrupt:
        print("interrupted")
t = Thread(target=work)
t.start()
handshake(t)
interrupt(t)
t.join()
print("end")
""",
    "ends": """from threading import Thread
from safepoint.guest.api import terminate
def work():
    try:
        for i in range(4):
            pass
    except:
        print("caught")
    finally:
        print("cleans")
t = Thread(target=work)
t.start()
terminate(t)
t.join()
print("end")
""",
    "contends": """from threading import Thread, Lock
def work():
    global total
    with lock:
        total = total + 1
lock = Lock()
total = 0
t = Thread(target=work)
t.start()
work()
t.join()
print(total)
""",
    "reuses": """from threading import Thread
from safepoint.guest.api import handshake
def nothing():
    pass
def follows():
    first.join()
    last = Thread(target=nothing)
    last.start()
    last.join()
first = Thread(target=nothing)
second = Thread(target=follows)
first.start()
second.start()
handshake(first)
second.join()
print("end")
""",
    "lists": """def f(n):
    return [n, n + 1]
i = 0
while i < 2:
    try:
        i = f(i)[1]
    except KeyboardInterrupt:
        print("interrupted")
print(i)
""",
    "masked lists": """from safepoint.guest.api import masked
one = two = 0
try:
    with masked():
        one = [1]
    two = [one, 2]
except KeyboardInterrupt:
    print("interrupted")
print(one, two)
""",
    "collects lists": """from threading import Thread
from safepoint.guest.api import collect
def work(n):
    mine = [n]
    collect()
    mine = [mine, n]
    return mine
t = Thread(target=work, args=(1,))
t.start()
print(work(2))
t.join()
""",
    "full": """def f(n):
    return [n]
one = f(1)
two = [one, f(2)]
print(two)
""",
}  # fmt: skip
STACKS = {"overflows": 24}
"""Slots of the guest's stack, where it is not STACK."""
FULL = ("full",)
"""Programs whose every allocation finds the heap full, and collects."""
