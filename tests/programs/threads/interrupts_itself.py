"""In a critical section a thread finishes what it is at, however often it is interrupted; at the end it hears of it once."""

from threading import Thread

from safepoint.guest.api import interrupt, masked

me = [None]


def patient():
    steps = []
    try:
        with masked():
            for i in range(3):
                interrupt(me[0])
                with masked():
                    steps.append(i)
        steps.append("not reached")
    except KeyboardInterrupt:
        steps.append("interrupted")
    for i in range(2):
        steps.append("goes on")
    print(steps)


def at_once():
    n = 0
    try:
        interrupt(me[0])
        while True:
            n += 1
    except KeyboardInterrupt:
        print("interrupted")


for work in [patient, at_once]:
    me[0] = Thread(target=work)
    me[0].start()
    me[0].join()
