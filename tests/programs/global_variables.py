# Globals written by functions, also inside loops, and one that is made by a function.
count = 0
last = None


def tick(n):
    global count, last, made
    count += n
    last = count
    made = count * 2
    return count


for k in range(5):
    tick(k)
    print(k, count, last, made)
while tick(-3) > 0:
    print(count)
print(count, made)
