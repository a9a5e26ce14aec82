"""What terminates a thread that unwinds already waits until it has: it is raised where the unwinding ends, and only once."""

from threading import Thread

from safepoint.guest.api import terminable, terminate

ready = [False]
cleaning = [False]
asked = [False]
said = []


def unwinds():
    try:
        ready[0] = True
        while True:
            pass
    finally:
        cleaning[0] = True
        while not asked[0]:
            pass
        said.append("cleaned")


def work():
    with terminable():
        with terminable():
            unwinds()
            said.append("behind the call")
        said.append("behind the first")
    for i in range(2):
        said.append(i)


t = Thread(target=work)
t.start()
while not ready[0]:
    pass
terminate(t)
while not cleaning[0]:
    pass
for i in range(3):
    terminate(t)
asked[0] = True
t.join()
print(said)
