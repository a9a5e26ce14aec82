# Every way out of a try runs its finally, once; and what the finally does itself wins.


def leave(how):
    for turn in range(3):
        try:
            print(how, turn, end=" ")
            if how == "return":
                return turn
            if how == "break":
                break
            if how == "continue":
                continue
            if how == "raise":
                raise ValueError(turn)
            if how == "zero":
                return turn // 0
        except ZeroDivisionError:
            return "handled"
        else:
            print("else", end=" ")
        finally:
            print("finally", end=" ")
    return "end"


def wins(how):
    value = "before"
    while True:
        try:
            if how == 0:
                return value
            if how == 1:
                raise KeyError("lost")
            if how == 2:
                return 1 // 0
        finally:
            value = "after"
            if how == 1:
                return "from finally"
            if how == 2:
                break
    return "behind the loop"


def nested():
    try:
        try:
            try:
                return "a"
            finally:
                print("1", end=" ")
        finally:
            print("2", end=" ")
            raise IndexError("from the second")
    except LookupError as e:
        print("caught", e, end=" ")
        try:
            return "b"
        finally:
            print("3", end=" ")
    finally:
        print("4", end=" ")


for how in ["nothing", "return", "break", "continue", "zero"]:
    print(leave(how))
try:
    leave("raise")
except ValueError as e:
    print("out with", e)
print(wins(0), wins(1), wins(2))
print(nested())
