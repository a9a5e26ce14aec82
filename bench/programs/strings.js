const N = 10000000;

function lengths(n) {
  let s = '';
  let t = 0;
  for (let i = 0; i < n; i++) {
    s = s + String.fromCharCode(97 + i % 26);
    if (s.length > 200) {
      t = t + s.length;
      s = '';
    }
  }
  return t;
}

console.log(String(lengths(N)));
