local N = 4000000

-- coroutines, as Lua has no threads; each yields every thousand turns
local function churn(n, sums, k)
  local kept = {}
  for i = 1, 64 do
    kept[i] = false
  end
  local s = 0
  for i = 0, n - 1 do
    local made = {i, {k, i}}
    kept[i % 64 + 1] = made
    s = s + made[2][1] + #made[2]
    if i % 1000 == 0 then coroutine.yield() end
  end
  sums[k + 1] = s
end

local sums = {}
local running = {}
for k = 0, 3 do
  running[k + 1] = coroutine.create(churn)
  assert(coroutine.resume(running[k + 1], N, sums, k))
end
local busy = true
while busy do
  busy = false
  for k = 1, 4 do
    if coroutine.status(running[k]) ~= 'dead' then
      assert(coroutine.resume(running[k]))
      busy = true
    end
  end
end
for k = 1, 4 do
  print(sums[k])
end
