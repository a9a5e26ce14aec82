N = 8000000

def primes(n)
  a = Array.new(n + 1, true)
  c = 0
  i = 2
  while i <= n
    if a[i]
      c = c + 1
      j = i + i
      while j <= n
        a[j] = false
        j = j + i
      end
    end
    i = i + 1
  end
  c
end

puts primes(N)
