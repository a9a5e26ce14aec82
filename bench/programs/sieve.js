const N = 8000000;

function primes(n) {
  const a = new Array(n + 1).fill(true);
  let c = 0;
  let i = 2;
  while (i <= n) {
    if (a[i]) {
      c = c + 1;
      let j = i + i;
      while (j <= n) {
        a[j] = false;
        j = j + i;
      }
    }
    i = i + 1;
  }
  return c;
}

console.log(String(primes(N)));
