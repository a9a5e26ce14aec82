"""A critical section ends on every way out of it, and only the outermost of several ends it."""

from safepoint.guest.api import masked


def returns(n):
    with masked():
        for i in range(n):
            if i == 2:
                return i
    return -1


def loops():
    found = []
    for i in range(5):
        with masked():
            if i == 1:
                continue
            if i == 3:
                break
            found.append(i)
    return found


def raises():
    try:
        with masked():
            raise ValueError("out")
    except ValueError as e:
        return str(e)


def inside():
    with masked():
        n = returns(4)
        with masked():
            n += 1
        n += returns(1)
    return n


def cleans_up():
    done = []
    try:
        done.append("begun")
        with masked():
            done.append("kept whole")
        returns(3)
    except KeyboardInterrupt:
        done.append("interrupted")
    finally:
        with masked():
            done.append("cleaned up")
    return len(done)


print(returns(9), loops())
print(raises())
print(inside())
print(cleans_up())
