# Ends in an exception that was caught, looked at, and passed on, through functions with a finally.


def find(names, wanted):
    for number in range(len(names)):
        if names[number] == wanted:
            return number
    raise KeyError(wanted)


def careful(names, wanted):
    try:
        return find(names, wanted)
    except KeyError as e:
        print("not found:", e)
        raise
    finally:
        print("looked for", wanted)


def twice(names):
    try:
        print(careful(names, "b"))
        print(careful(names, "x"))
    except LookupError as e:
        names.append(e)
        raise e


names = ["a", "b"]
try:
    twice(names)
finally:
    print(names)
