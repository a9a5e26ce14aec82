# A discrete event simulation: customers arrive at a shop with several tills and wait in the shortest queue.
# The future is a heap of events; times come from a generator of random numbers that is the same everywhere.

ARRIVES, SERVED, OPENS, CLOSES = 0, 1, 2, 3
NAMES = ["arrives", "served", "opens", "closes"]


def next_random(state):
    state[0] = (state[0] * 1103515245 + 12345) % 2147483648
    return state[0] / 2147483648


def between(state, low, high):
    return low + (high - low) * next_random(state)


def before(one, other):
    """By time; at the same time, in the order in which they were planned."""
    if one[0] != other[0]:
        return one[0] < other[0]
    return one[1] < other[1]


def plan(future, time, kind, what):
    future[0] += 1
    heap = future[1]
    heap.append([time, future[0], kind, what])
    at = len(heap) - 1
    while at > 0:
        parent = (at - 1) // 2
        if not before(heap[at], heap[parent]):
            break
        heap[at], heap[parent] = heap[parent], heap[at]
        at = parent


def soonest(future):
    heap = future[1]
    if not heap:
        raise LookupError("nothing is planned")
    heap[0], heap[-1] = heap[-1], heap[0]
    event, at = heap.pop(), 0
    while True:
        least = at
        for child in [2 * at + 1, 2 * at + 2]:
            if child < len(heap) and before(heap[child], heap[least]):
                least = child
        if least == at:
            return event
        heap[at], heap[least] = heap[least], heap[at]
        at = least


def shortest(queues, is_open):
    found = None
    for number in range(len(queues)):
        if is_open[number] and (found is None or len(queues[number]) < len(queues[found])):
            found = number
    if found is None:
        raise RuntimeError("no till is open")
    return found


def simulate(seed, tills, customers, pace):
    """What happened: served, turned away, waited in all, longest queue, the end."""
    random, future, queues, is_open, log = [seed], [0, []], [], [], []
    for number in range(tills):
        queues.append([])
        is_open.append(False)
        plan(future, number * 3.0, OPENS, number)
        plan(future, 12.0 + number, CLOSES, number)
    time = 0.0
    for number in range(customers):
        time += between(random, 0.1, pace)
        plan(future, time, ARRIVES, number)
    arrived = [0.0] * customers
    served = away = longest = 0
    waited = now = 0.0
    while True:
        try:
            event = soonest(future)
        except LookupError:
            break
        now, kind, what = event[0], event[2], event[3]
        if kind == OPENS:
            is_open[what] = True
        elif kind == CLOSES:
            is_open[what] = False
            while len(queues[what]) > 1:  # whoever is not being served goes to another till
                plan(future, now, ARRIVES, queues[what].pop())
        elif kind == ARRIVES:
            if arrived[what] == 0.0:
                arrived[what] = now
            try:
                till = shortest(queues, is_open)
            except RuntimeError as error:
                away += 1
                log.append(f"{what} at {int(now)}: {error}")
                continue
            queues[till].append(what)
            longest = max(longest, len(queues[till]))
            if len(queues[till]) == 1:
                plan(future, now + between(random, 1, 4), SERVED, till)
        else:
            customer = queues[what].pop(0)
            served += 1
            waited += now - arrived[customer]
            if queues[what]:
                plan(future, now + between(random, 1, 4), SERVED, what)
        assert served + away + sum_of_lengths(queues) <= customers, NAMES[kind]
    return [served, away, waited, longest, now, log]


def sum_of_lengths(lists):
    total = 0
    for items in lists:
        total += len(items)
    return total


def rounded(number):
    return int(number * 100 + 0.5) / 100


for tills in [1, 2]:
    result = simulate(tills * 7 + 1, tills, 14, 2.5)
    served, away, waited, longest = result[0], result[1], result[2], result[3]
    print(f"{tills} tills: {served} served, {away} turned away, the longest queue {longest}")
    print(f"  they waited {rounded(waited / max(served, 1))} each, until {rounded(result[4])}")
    for line in result[5][:2]:
        print("  " + line)
try:
    soonest([0, []])
except LookupError as error:
    print(error)
