"""Threads that are ended from outside: at work, asleep, at a lock, or where they wait for another; each cleans up."""

from threading import Lock, Thread
from time import sleep

from safepoint.guest.api import terminate

lock = Lock()
ready = [False] * 6
left = []


def works():
    while True:
        pass


def deep(n):
    return n if n == 0 else 1 + deep(n - 1)


def calls():
    while True:
        deep(9)


def holds():
    with lock:
        ready[2] = True
        works()


def waits():
    lock.acquire()


def joins():
    threads[2].join()


def sleeps():
    sleep(1000)


blocks = [works, calls, holds, waits, joins, sleeps]


def work(me):
    try:
        ready[me] = me != 2  # which must have the lock before the next begins, or that has it for ever
        blocks[me]()
        left.append("returned")
    except:
        left.append("caught")
    finally:
        left.append(me)


threads = []
for me in range(6):
    threads.append(Thread(target=work, args=(me,)))
for me in range(6):
    threads[me].start()
    while not ready[me]:
        pass
for me in [0, 1, 3, 4, 5, 2]:
    terminate(threads[me])
    threads[me].join()
with lock:
    print("free", left)
