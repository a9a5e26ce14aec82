"""However a `finally` is left, its thread ends: by a return, a jump, another exception; and no `except` keeps it."""

from threading import Thread

from safepoint.guest.api import masked, terminate

ready = [False]
ran = []


def leaves(way):
    while True:
        try:
            with masked():
                ready[0] = True
                while True:
                    pass
        finally:
            ran.append(way)
            if way == "return":
                return 0
            if way == "break":
                break
            if way == "continue":
                continue
            if way == "raise":
                raise ValueError(way)
            if way == "catch":
                try:
                    ran[way]
                except TypeError:
                    ran.append("caught")
    ran.append("behind the loop")


def work(way):
    try:
        leaves(way)
        ran.append("behind the call")
    except:
        ran.append("in a handler")
    finally:
        ran.append("out")


for way in ["return", "break", "continue", "raise", "catch", "end"]:
    ready[0] = False
    t = Thread(target=work, args=(way,))
    t.start()
    while not ready[0]:
        pass
    terminate(t)
    terminate(t)
    t.join()
print(ran)
