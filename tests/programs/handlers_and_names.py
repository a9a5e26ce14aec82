# Which handler it is; what a name is worth after its handler; an exception kept, printed, and raised again.


def classes(e):
    found = ""
    for wanted in range(5):
        try:
            try:
                raise e
            except KeyError:
                found += "K"
                raise
            except (IndexError, ZeroDivisionError):
                found += "I"
                raise
        except LookupError:
            found += "L"
        except ArithmeticError as inner:
            found += "A" if inner is e else "?"
        except:
            found += "*"
        if wanted == 1:
            return found


def shadowed():
    e = "mine"
    try:
        raise ValueError("theirs")
    except ValueError as e:
        print(e, end=" ")
    try:
        return e
    except UnboundLocalError as other:
        return str(other)


for e in [KeyError("k"), IndexError(), LookupError(1), ZeroDivisionError("z"), OverflowError(), RuntimeError("r")]:
    print(repr(e), classes(e), end=", ")
print()
print(shadowed())
kept = []
for n in range(3):
    try:
        [n][n]
    except IndexError as e:
        kept.append(e)
print(len(kept), kept, str(kept[0]) == str(kept[1]), kept[0] == kept[1], kept[0] in kept, bool(kept[0]))
try:
    raise kept[1]
except Exception as e:
    print(e is kept[1], [e])
try:
    e
except NameError as missing:
    print(missing)
try:
    raise 3
except TypeError as e:
    print(e)
try:
    assert kept == [], f"{len(kept)} were kept"
except AssertionError as e:
    print("assertion:", e)
