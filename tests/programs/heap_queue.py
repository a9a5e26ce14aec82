# A priority queue in a list, used to sort, and to simulate a few machines with jobs.


def push(heap, item):
    heap.append(item)
    at = len(heap) - 1
    while at > 0 and heap[at] < heap[(at - 1) // 2]:
        parent = (at - 1) // 2
        heap[at], heap[parent] = heap[parent], heap[at]
        at = parent


def smallest(heap):
    if not heap:
        raise IndexError("an empty queue")
    heap[0], heap[-1] = heap[-1], heap[0]
    result = heap.pop()
    at = 0
    while 2 * at + 1 < len(heap):
        child = 2 * at + 1
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if heap[at] <= heap[child]:
            break
        heap[at], heap[child] = heap[child], heap[at]
        at = child
    return result


def sorted_by_heap(items):
    heap, result = [], []
    for item in items:
        push(heap, item)
    while heap:
        result.append(smallest(heap))
    return result


def simulate(machines, jobs):
    free, finished = [], []
    for machine in range(machines):
        push(free, [0.0, machine])
    for job in range(len(jobs)):
        event = smallest(free)
        event[0] += jobs[job]
        finished.append([event[0], job, event[1]])
        push(free, event)
    return sorted_by_heap(finished)


print(sorted_by_heap([5, 2, 9, -3, 5, 0, 8, 1]))
print(sorted_by_heap("heap queue"))
for done in simulate(3, [3, 1.5, 2, 2.25, 0.75, 4]):
    print(f"at {done[0]}: job {done[1]} on machine {done[2]}")
try:
    smallest([])
except IndexError as e:
    print(e)
