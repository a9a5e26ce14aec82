N = 100000000

def total(n)
  s = 0
  i = 0
  while i < n
    s = s + i
    i = i + 1
  end
  s
end

2.times { puts total(N) }
