# A TypeError in a loop's test.
def up_to(n):
    i = 0
    while i < n:
        i += 1
    return i


print(up_to(3), up_to(True))
print(up_to(None))
