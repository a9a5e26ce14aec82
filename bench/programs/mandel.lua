local N = 1200

local function turns(n)
  local c = 0
  local y = 0
  while y < n do
    local x = 0
    while x < n do
      local cr = 2.0 * x / n - 1.5
      local ci = 2.0 * y / n - 1.0
      local zr = 0.0
      local zi = 0.0
      local k = 0
      while k < 50 and zr * zr + zi * zi < 4.0 do
        local t = zr * zr - zi * zi + cr
        zi = 2.0 * zr * zi + ci
        zr = t
        k = k + 1
      end
      c = c + k
      x = x + 1
    end
    y = y + 1
  end
  return c
end

print(turns(N))
