# A variable that only some ways assign: read once with a value, once without.
def maybe(n):
    for i in range(n):
        if i == 1:
            found = i
            break
    return found


print(maybe(5))
print(maybe(1))
