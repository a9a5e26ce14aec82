const N = 4000000;

// generators, as JavaScript's threads share no arrays; each yields every thousand turns
function* churn(n, sums, k) {
  const kept = new Array(64).fill(null);
  let s = 0;
  for (let i = 0; i < n; i++) {
    const made = [i, [k, i]];
    kept[i % 64] = made;
    s = s + made[1][0] + made[1].length;
    if (i % 1000 === 0) yield;
  }
  sums[k] = s;
}

const sums = [0, 0, 0, 0];
let running = sums.map((_, k) => churn(N, sums, k));
while (running.length > 0) running = running.filter((one) => !one.next().done);
for (const s of sums) console.log(String(s));
