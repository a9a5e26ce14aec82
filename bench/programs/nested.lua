local N = 3000000

local function total(n)
  local s = 0
  for i = 0, n - 1 do
    for j = 0, 99 do
      s = s + j
    end
  end
  return s
end

print(string.format("%d", total(N)))
