const N = 1000;

function make(d) {
  if (d === 0) return [null, null];
  return [make(d - 1), make(d - 1)];
}

function check(t) {
  if (t[0] === null) return 1;
  return 1 + check(t[0]) + check(t[1]);
}

function total(n) {
  let s = 0;
  for (let i = 0; i < n; i++) {
    s = s + check(make(12));
  }
  return s;
}

console.log(String(total(N)));
