from safepoint.guest.api import collect

kept = [[1], "two"]
for i in range(2):
    collect()
    kept.append(i * 0.5)
print(kept)
