N = 100000000

def total(n)
  s = 0
  for i in 0...n
    s = s + i
  end
  s
end

3.times { puts total(N) }
