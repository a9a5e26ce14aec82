local N = 100000000

local function total(n)
  local s = 0
  for i = 0, n - 1 do
    s = s + i
  end
  return s
end

for turn = 1, 3 do
  print(string.format("%d", total(N)))
end
