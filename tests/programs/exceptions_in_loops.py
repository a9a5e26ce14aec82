# Exceptions raised, caught, and passed on, in loops inside of loops.


def risky(n):
    if n % 7 == 3:
        raise ValueError(f"bad {n}")
    if n % 5 == 4:
        raise KeyError(n)
    return [10, 20, 30][n % 4] // (n % 3)


def guarded(n, log):
    try:
        value = risky(n)
    except (ValueError, KeyError) as e:
        log.append(f"{n}:{e}")
        return -1
    except ZeroDivisionError:
        log.append(f"{n}:zero")
        raise
    else:
        log.append(f"{n}={value}")
    finally:
        log.append("|")
    return value


log = []
caught = 0
for outer in range(3):
    inner = 0
    while True:
        try:
            inner += 1
            if inner == 8:
                break
            if inner % 2 == outer % 2:
                continue
            print(guarded(outer * 10 + inner, log), end=" ")
        except ArithmeticError as e:
            caught += 1
            print(f"<{e}>", end=" ")
        except LookupError as e:
            print("[" + str(e) + "]", end=" ")
        finally:
            caught += 100
    print("-", outer, inner)
print(caught)
for entry in log:
    print(entry, end=" ")
print()
