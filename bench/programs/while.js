const N = 100000000;

function total(n) {
  let s = 0;
  let i = 0;
  while (i < n) {
    s = s + i;
    i = i + 1;
  }
  return s;
}

for (let turn = 0; turn < 2; turn++) console.log(String(total(N)));
