N = 500

def a(i, j)
  1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

def times(n, u, v)
  for i in 0...n
    s = 0.0
    for j in 0...n
      s = s + a(i, j) * u[j]
    end
    v[i] = s
  end
end

def times_transposed(n, u, v)
  for i in 0...n
    s = 0.0
    for j in 0...n
      s = s + a(j, i) * u[j]
    end
    v[i] = s
  end
end

def norm(n)
  u = [1.0] * n
  v = [0.0] * n
  w = [0.0] * n
  10.times do
    times(n, u, w)
    times_transposed(n, w, v)
    times(n, v, w)
    times_transposed(n, w, u)
  end
  vbv = 0.0
  vv = 0.0
  for i in 0...n
    vbv = vbv + u[i] * v[i]
    vv = vv + v[i] * v[i]
  end
  (vbv / vv)**0.5
end

puts((norm(N) * 1000000000.0).floor)
