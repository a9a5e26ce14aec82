# and, or, not, chained comparison, conditional expressions: what is evaluated, and what comes out.
def say(x):
    print(x)
    return x


print(say(0) and say(1), say(0) or say(2), not say(None), say(3) and say(False) or say(4))
print(say(1) < say(2) < say(3), say(2) < say(1) < say(9), 1 == True, say is None, say is not None)
x = say(5) if say(0) else say(6)
if not (x and say(0)) and (say(1) or say(2)):
    print(True & False, True | False, True ^ True, True & 3, True + True, -True, ~False)
while x >= 3 or x == 2:
    x = x - 1
print(x, None == False, print(), None is None)
