# Small, with handlers for whatever comes at any place: a test that interrupts it sees them all at work.


def work(n, log):
    try:
        for item in [n, n + 1]:
            log += [item * 2]
            if item == 2:
                raise ValueError([item])
    except ValueError as e:
        log.append(str(e))
    finally:
        log.append("f")
    return len(log)


done, caught = [], 0
for n in range(3):
    try:
        work(n, done)
    except BaseException as e:
        caught += 1
        done.append(repr(e))
    try:
        n // (n - 1)
    except ZeroDivisionError:
        done.append("z")
    except:
        caught += 1
print(done, caught)
