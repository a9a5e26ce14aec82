# Ranges of one, two and three arguments, with steps of both signs, empty ones among them.
def show(start, end, step):
    count = 0
    last = None
    for v in range(start, end, step):
        count += 1
        last = v
        v = 1000
    print(start, end, step, count, last)


for step in range(-3, 4):
    if step:
        show(0, 10, step)
        show(10, 0, step)
        show(-5, 5, step)
        show(4, 4, step)
for v in range(-2):
    print(v)
for v in range(2, 4):
    print(v)
for v in range(4611686018427387900, 4611686018427387903, 2):
    print(v)
for v in range(True, 3):
    print(v)
