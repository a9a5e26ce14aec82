const N = 100000000;

function total(n) {
  let s = 0;
  for (let i = 0; i < n; i++) {
    s = s + i;
  }
  return s;
}

for (let turn = 0; turn < 3; turn++) console.log(String(total(N)));
