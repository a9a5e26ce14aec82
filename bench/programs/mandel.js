const N = 1200;

function turns(n) {
  let c = 0;
  let y = 0;
  while (y < n) {
    let x = 0;
    while (x < n) {
      const cr = 2.0 * x / n - 1.5;
      const ci = 2.0 * y / n - 1.0;
      let zr = 0.0;
      let zi = 0.0;
      let k = 0;
      while (k < 50 && zr * zr + zi * zi < 4.0) {
        const t = zr * zr - zi * zi + cr;
        zi = 2.0 * zr * zi + ci;
        zr = t;
        k = k + 1;
      }
      c = c + k;
      x = x + 1;
    }
    y = y + 1;
  }
  return c;
}

console.log(String(turns(N)));
