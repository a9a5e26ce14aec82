local N = 10000000

local function lengths(n)
  local s = ''
  local t = 0
  for i = 0, n - 1 do
    s = s .. string.char(97 + i % 26)
    if #s > 200 then
      t = t + #s
      s = ''
    end
  end
  return t
end

print(lengths(N))
