const N = 13;

function solve(n, row, cols, d1, d2) {
  if (row === n) return 1;
  let c = 0;
  let i = 0;
  while (i < n) {
    if (!cols[i] && !d1[row + i] && !d2[row - i + n]) {
      cols[i] = true;
      d1[row + i] = true;
      d2[row - i + n] = true;
      c = c + solve(n, row + 1, cols, d1, d2);
      cols[i] = false;
      d1[row + i] = false;
      d2[row - i + n] = false;
    }
    i = i + 1;
  }
  return c;
}

const falses = (n) => new Array(n).fill(false);
console.log(String(solve(N, 0, falses(N), falses(2 * N), falses(2 * N))));
