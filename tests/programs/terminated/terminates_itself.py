"""Whom it reaches, and when: itself at its next check, a newborn at its first, none that has not begun or has ended."""

from threading import Thread

from safepoint.guest.api import interrupt, masked, terminate

me = [None]
said = []


def at_once():
    try:
        terminate(me[0])
        said.append("goes on")
        for i in range(3):
            said.append(i)
    finally:
        said.append("cleans")


def not_even_masked():
    try:
        with masked():
            terminate(me[0])
            interrupt(me[0])
            for i in range(3):
                said.append(i)
    except KeyboardInterrupt:
        said.append("caught")
    finally:
        said.append("unmasked")


def both():
    try:
        interrupt(me[0])
        terminate(me[0])
        for i in range(3):
            said.append(i)
    except KeyboardInterrupt:
        said.append("first")
    finally:
        try:
            for i in range(3):
                said.append(i)
        except KeyboardInterrupt:
            said.append("interrupted")


for work in [at_once, not_even_masked, both]:
    me[0] = Thread(target=work)
    me[0].start()
    me[0].join()
print(said)


def whole(n):
    for i in range(n):
        pass
    print("whole")


first = Thread(target=whole, args=(3,))
terminate(first)
first.start()
first.join()
terminate(first)
second = Thread(target=whole, args=(4,))
second.start()
terminate(first)
second.join()


def forever():
    while True:
        pass


for i in range(3):
    newborn = Thread(target=forever)
    newborn.start()
    terminate(newborn)
    newborn.join()
print("all ended")
