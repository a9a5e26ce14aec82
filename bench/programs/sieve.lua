local N = 8000000

local function primes(n)
  local a = {}
  for i = 1, n do
    a[i] = true
  end
  local c = 0
  local i = 2
  while i <= n do
    if a[i] then
      c = c + 1
      local j = i + i
      while j <= n do
        a[j] = false
        j = j + i
      end
    end
    i = i + 1
  end
  return c
end

print(primes(N))
