"""A lock is released on every way out of a `with`, and it is the lock that was acquired."""

from threading import Lock

lock = Lock()
other = Lock()


def returns():
    with lock:
        return 1


def loops():
    n = 0
    for i in range(5):
        with lock:
            with other:
                if i == 1:
                    continue
                if i == 3:
                    break
            n += i
    return n


def raises():
    try:
        with lock:
            raise ValueError("out")
    except ValueError as e:
        return str(e)


def changes(a, b):
    with a:
        a = b
    return a


def given_back():
    try:
        with lock:
            try:
                lock.release()
                return "lost"
            finally:
                print("in between")
    except RuntimeError as e:
        return str(e)


print(returns())
print(loops())
print(raises())
print(changes(lock, other) == other)
print(given_back())
for each in [lock, other]:
    with each:
        print("was free")
