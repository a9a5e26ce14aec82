from safepoint.guest.api import masked

with masked():
    for i in range(3):
        pass
print(i)
