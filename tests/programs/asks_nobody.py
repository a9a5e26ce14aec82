from threading import Thread

from safepoint.guest.api import handshake, interrupt


def f():
    return 1


t = Thread(target=f)
for i in range(2):
    interrupt(t)
    handshake(t)
print(f())
