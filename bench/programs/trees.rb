N = 1000

def make(d)
  return [nil, nil] if d == 0
  [make(d - 1), make(d - 1)]
end

def check(t)
  return 1 if t[0].nil?
  1 + check(t[0]) + check(t[1])
end

def total(n)
  s = 0
  for i in 0...n
    s = s + check(make(12))
  end
  s
end

puts total(N)
