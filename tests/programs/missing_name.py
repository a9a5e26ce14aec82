# A global that is read too early.
def early():
    return later + 1


print(0)
print(early())
later = 1
