local N = 100000000

local function total(n)
  local s = 0
  local i = 0
  while i < n do
    s = s + i
    i = i + 1
  end
  return s
end

for turn = 1, 2 do
  print(string.format("%d", total(N)))
end
