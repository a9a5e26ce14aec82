N = 13

def solve(n, row, cols, d1, d2)
  return 1 if row == n
  c = 0
  i = 0
  while i < n
    if !cols[i] && !d1[row + i] && !d2[row - i + n]
      cols[i] = true
      d1[row + i] = true
      d2[row - i + n] = true
      c = c + solve(n, row + 1, cols, d1, d2)
      cols[i] = false
      d1[row + i] = false
      d2[row - i + n] = false
    end
    i = i + 1
  end
  c
end

puts solve(N, 0, [false] * N, [false] * (2 * N), [false] * (2 * N))
