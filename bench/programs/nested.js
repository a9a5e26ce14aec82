const N = 3000000;

function total(n) {
  let s = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < 100; j++) {
      s = s + j;
    }
  }
  return s;
}

console.log(String(total(N)));
