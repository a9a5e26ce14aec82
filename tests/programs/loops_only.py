# Loops and no call: back-edges are the only check sites.
total = 0
i = 0
while i < 40:
    total += i * i
    i += 1
for j in range(40):
    total -= j * j
print(i, j, total)
