# Euclid, with a simultaneous assignment.
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


for n in range(12, 60, 12):
    print(n, gcd(n, 90), gcd(90, n), gcd(-n, 90), gcd(n, -90))
print(gcd(4611686018427387903, 2147483647))
