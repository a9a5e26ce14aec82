"""A bank with a queue of orders, several clerks who carry them out, and an auditor who counts while they are at it.

Orders are lists; accounts are lists with a lock of their own, taken in the order of their numbers.  A gate opens when all clerks
are ready.  What the clerks say is put into their own books, and printed by the main thread when all are through.
"""

from threading import Lock, Thread
from time import sleep

CLERKS = 3
TRANSFER, DEPOSIT, CLOSE, NOTE = "transfer", "deposit", "close", "note"

accounts = []
for number in range(5):
    accounts.append([number, 1000 * (number + 1), Lock(), []])

orders = []
queue_lock = Lock()
gate = Lock()
ready = [0]
ready_lock = Lock()
deposited = [0]
deposits_lock = Lock()


def balance(account):
    return account[1]


def find(number):
    if number < 0 or number >= len(accounts):
        raise LookupError(f"no account {number}")
    return accounts[number]


def with_both(first, second, f, amount):
    """Call f(first, second, amount) while nobody else has either."""
    low, high = first, second
    if low[0] > high[0]:
        low, high = high, low
    with low[2]:
        if low[0] == high[0]:
            return f(first, second, amount)
        high[2].acquire()
        try:
            return f(first, second, amount)
        finally:
            high[2].release()


def move(source, target, amount):
    if amount < 0:
        raise ValueError(f"{amount} is not to be moved")
    if source[1] < amount:
        raise ArithmeticError("too little")
    source[1] -= amount
    source[3].append(-amount)
    sleep(0)  # somebody else may run, and must not see the money missing
    target[1] += amount
    target[3].append(amount)
    return amount


def carry_out(order, book):
    kind = order[0]
    if kind == TRANSFER:
        moved = with_both(find(order[1]), find(order[2]), move, order[3])
        book[0] += 1
        book[1] += moved
    elif kind == DEPOSIT:
        account = find(order[1])
        with account[2]:
            account[1] += order[2]
            account[3].append(order[2])
            with deposits_lock:
                deposited[0] += order[2]
        book[0] += 1
    else:
        raise NotImplementedError(kind)


def next_order():
    with queue_lock:
        if not orders:
            return None
        return orders.pop(0)


def clerk(me, book):
    """book: orders carried out, money moved, orders refused."""
    with ready_lock:
        ready[0] += 1
    gate.acquire()
    gate.release()
    order = next_order()
    while order is not None:
        try:
            carry_out(order, book)
        except (LookupError, ValueError, ArithmeticError):
            book[2] += 1
        finally:
            order = next_order()
    if me == CLERKS - 1:
        raise RuntimeError("the last clerk never goes home without a word")


def audit(times, found):
    """Nobody moves money while all accounts are locked: so the sum is what was there and what came."""
    for turn in range(times):
        for account in accounts:
            account[2].acquire()
        try:
            total = 0
            for account in accounts:
                total += balance(account)
                assert total >= 0
            with deposits_lock:
                found.append(total - deposited[0])
        finally:
            for account in accounts:
                account[2].release()
        sleep(0.0005)


for turn in range(40):
    orders.append([TRANSFER, turn % 5, (turn * 3 + 1) % 5, turn % 7 * 5])
    if turn % 4 == 0:
        orders.append([DEPOSIT, turn % 5, turn + 1])
    if turn % 10 == 3:
        orders.append([TRANSFER, turn, 0, 1])  # there is no such account
        orders.append([TRANSFER, 0, 1, -turn])
        orders.append([TRANSFER, 1, 2, 100000])
many = len(orders)

books = []
clerks = []
gate.acquire()
for me in range(CLERKS):
    books.append([0, 0, 0])
    clerks.append(Thread(target=clerk, args=(me, books[me])))
found = []
auditor = Thread(target=audit, args=(6, found))
for thread in clerks:
    thread.start()
while True:
    with ready_lock:
        if ready[0] == CLERKS:
            break
    sleep(0.0002)
auditor.start()
gate.release()
for thread in clerks:
    thread.join()
auditor.join()

done = moved = refused = 0
for book in books:
    done += book[0]
    moved += book[1]
    refused += book[2]
print(f"{many} orders: {done} carried out, {refused} refused, {moved} moved")
expected = 0
for account in accounts:
    history = 1000 * (account[0] + 1)
    for amount in account[3]:
        history += amount
    print("account", account[0], "is right", history == balance(account) >= 0)
    expected += balance(account)
print("in all", expected, "of which were deposited", deposited[0])
print("every audit found the same:", len(found), min(found), max(found))
