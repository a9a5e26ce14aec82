N = 3000000

def total(n)
  s = 0
  for i in 0...n
    for j in 0...100
      s = s + j
    end
  end
  s
end

puts total(N)
