# What cannot be done, and what is said about it.


def nothing():
    pass


def attempt(what, x, y):
    try:
        if what == "+":
            print(x + y)
        elif what == "+=":
            x += y
            print(x)
        elif what == "*":
            print(x * y)
        elif what == "<":
            print(x < y)
        elif what == "[]":
            print(x[y])
        elif what == "[]=":
            x[y] = 1
        elif what == "del":
            del x[y]
        elif what == "in":
            print(x in y)
        elif what == "for":
            for item in x:
                print(item, end=",")
        elif what == "len":
            print(len(x), int(y))
        elif what == "append":
            x.append(y)
        elif what == "pop":
            print(x.pop(y))
        elif what == "[:]":
            print(x[y:])
        else:
            print(-x, ~y)
    except (TypeError, AttributeError, ValueError) as e:
        print(f"{what}: {e}")
    except LookupError as e:
        print(f"{what}! {e}")


values = [1, 2.5, "s", [1], None, True, ValueError("v")]
for what in ["+", "+=", "*", "<", "in", "[]"]:
    for i in range(0, 7, 2):
        for j in range(1, 7, 3):
            attempt(what, values[i], values[j])
for x in values:
    attempt("[]=", x, 5)
    attempt("del", x, "k")
    attempt("for", x, 0)
    attempt("len", x, x)
    attempt("append", x, 1)
    attempt("pop", x, None)
    attempt("[:]", x, 1.0)
    attempt("-", x, x)
attempt("pop", [], 0)
attempt("pop", [1], 5)
attempt("for", nothing, 0)
attempt("+", nothing, nothing)
