# Ends in a failed assertion, inside a handler, with a list for a message.


def check(items):
    seen = []
    for item in items:
        assert item not in seen, [item, "twice", seen]
        seen.append(item)
    return len(seen)


print(check("abc"), check([]), check([1, 1.5, "1"]))
try:
    print(check("abcda"))
except AssertionError as e:
    print("caught:", e)
    check([True, 1])
