N = 4000000

def churn(n, sums, k)
  kept = [nil] * 64
  s = 0
  for i in 0...n
    made = [i, [k, i]]
    kept[i % 64] = made
    s = s + made[1][0] + made[1].length
  end
  sums[k] = s
end

sums = [0] * 4
threads = (0...4).map { |k| Thread.new { churn(N, sums, k) } }
threads.each(&:join)
puts sums
