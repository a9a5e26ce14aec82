N = 10000000

def lengths(n)
  s = ''
  t = 0
  for i in 0...n
    s = s + (97 + i % 26).chr
    if s.length > 200
      t = t + s.length
      s = ''
    end
  end
  t
end

puts lengths(N)
