# The guest's third step is a back-edge: a request posted before it is seen at once.
while False:
    print(0)
for i in range(0):
    print(i)
print(1)
