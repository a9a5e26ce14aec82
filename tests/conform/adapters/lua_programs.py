"""The judge's programs in Lua, by name.  `s()` ends a step, `f()` is in a frame that was pushed, `b()` before a jump backward."""

LUA = {
    "loops": """
        local i, total = 0, 0 s()
        while i < 12 do total = total + i s() i = i + 1 s() b() end
        print(total) s()
    """,
    "calls": """
        local function one(x) f() s() return x + 1 end
        local function two(x) f() s() return (one(one(x))) end
        local function four(x) f() s() return (two(two(x))) end
        s() print(four(four(0))) s()
    """,
    "recursive": """
        local function fib(n) f() s() if n < 2 then return n end s() return fib(n - 1) + fib(n - 2) end
        s() print(fib(5)) s()
    """,
    "nested": """
        local function square(x) f() s() return x * x end
        local total = 0 s()
        for i = 0, 2 do
          local j = 0 s()
          while j < 3 do total = total + square(i + j) s() j = j + 1 s() b() end
          print(total) s() b()
        end
    """,
    "catches": """
        local function work(n)
          f() s() local i = 0 s()
          local ok = pcall(function() print(1) s() while i < n do i = i + 1 s() b() end print(2) s() end)
          if not ok then ok = pcall(print, 3) s() end
          print(4) s() return i
        end
        local turn = 0 s()
        while turn < 3 do local x = work(4) s() turn = turn + 1 s() b() end
        print(5) s()
    """,
    "cleans-up": """
        local function finally(body, last)
          local ok, error_ = pcall(body) last() if not ok then error(error_, 0) end
        end
        local function inner(n)
          f() s() local i = 0 s()
          finally(function() print(1) s() while i < n do i = i + 1 s() b() end print(2) s() end,
                  function() print(3) s() end)
          return i
        end
        local function outer(n)
          f() s() local x = 0 s()
          finally(function() print(0) s() x = inner(n) s() print(4) s() end, function() print(5) s() end)
          return x
        end
        s() local x = outer(4) s() print(6) s()
    """,
}
