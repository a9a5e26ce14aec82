"""An exception ends its own thread only; a lock that it held through `with` is free."""

from threading import Lock, Thread

lock = Lock()
reached = []


def risky(n):
    with lock:
        reached.append(n)
        return 10 // n


def caught(n):
    try:
        risky(n)
    except ZeroDivisionError as e:
        with lock:
            print("caught:", e)
    finally:
        reached.append("finally")


thread = Thread(target=risky, args=(0,))
thread.start()
thread.join()
thread = Thread(target=caught, args=(0,))
thread.start()
thread.join()
thread = Thread(target=risky, args=())
thread.start()
thread.join()
with lock:
    print("free again", reached)
print(risky(5))
risky(0)
