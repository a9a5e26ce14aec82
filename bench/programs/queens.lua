local N = 13

-- columns and diagonals count from 1, where Lua's arrays begin
local function solve(n, row, cols, d1, d2)
  if row == n then return 1 end
  local c = 0
  local i = 1
  while i <= n do
    if not cols[i] and not d1[row + i] and not d2[row - i + n + 1] then
      cols[i] = true
      d1[row + i] = true
      d2[row - i + n + 1] = true
      c = c + solve(n, row + 1, cols, d1, d2)
      cols[i] = false
      d1[row + i] = false
      d2[row - i + n + 1] = false
    end
    i = i + 1
  end
  return c
end

local function falses(n)
  local a = {}
  for i = 1, n do
    a[i] = false
  end
  return a
end

print(solve(N, 0, falses(N), falses(2 * N), falses(2 * N)))
