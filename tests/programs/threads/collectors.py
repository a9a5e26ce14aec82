"""Threads that make garbage and collect it, all at once; what is alive stays as it is."""

from threading import Thread

from safepoint.guest.api import collect

kept = [None, None, None, None]


def chain(length):
    head = None
    for i in range(length):
        head = [i, head]
    return head


def length(head):
    n = 0
    while head is not None:
        n += 1
        head = head[1]
    return n


def work(me):
    mine = chain(30 + me)
    for turn in range(5):
        chain(20)
        collect()
        kept[me] = [turn, mine]
    collect()


threads = []
for number in range(4):
    threads.append(Thread(target=work, args=(number,)))
for t in threads:
    t.start()
collect()
for t in threads:
    t.join()
for each in kept:
    print(each[0], length(each[1]))

shared = [0]


def below(theirs):
    collect()
    theirs.append(1)


def holds(mine):
    below(shared)
    print(mine is shared, mine)


def born_late(mine):
    mine.append(2)
    print(mine is shared, mine)


holds(shared)  # only its caller's frame holds `mine` while `below` collects
t = Thread(target=born_late, args=(shared,))
t.start()
collect()  # it need not have begun: what it is given is a root all the same
t.join()
print(shared)
