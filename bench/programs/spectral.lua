local N = 500

local function a(i, j)
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

-- arrays begin at 1, the matrix at 0
local function times(n, u, v)
  for i = 0, n - 1 do
    local s = 0.0
    for j = 0, n - 1 do
      s = s + a(i, j) * u[j + 1]
    end
    v[i + 1] = s
  end
end

local function times_transposed(n, u, v)
  for i = 0, n - 1 do
    local s = 0.0
    for j = 0, n - 1 do
      s = s + a(j, i) * u[j + 1]
    end
    v[i + 1] = s
  end
end

local function filled(n, x)
  local v = {}
  for i = 1, n do
    v[i] = x
  end
  return v
end

local function norm(n)
  local u = filled(n, 1.0)
  local v = filled(n, 0.0)
  local w = filled(n, 0.0)
  for turn = 1, 10 do
    times(n, u, w)
    times_transposed(n, w, v)
    times(n, v, w)
    times_transposed(n, w, u)
  end
  local vbv = 0.0
  local vv = 0.0
  for i = 1, n do
    vbv = vbv + u[i] * v[i]
    vv = vv + v[i] * v[i]
  end
  return (vbv / vv) ^ 0.5
end

print(string.format("%d", math.floor(norm(N) * 1000000000.0)))
