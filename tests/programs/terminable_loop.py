from safepoint.guest.api import terminable

with terminable():
    for i in range(2):
        pass
print("on")
