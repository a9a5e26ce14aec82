const N = 500;

function a(i, j) {
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

function times(n, u, v) {
  for (let i = 0; i < n; i++) {
    let s = 0.0;
    for (let j = 0; j < n; j++) {
      s = s + a(i, j) * u[j];
    }
    v[i] = s;
  }
}

function timesTransposed(n, u, v) {
  for (let i = 0; i < n; i++) {
    let s = 0.0;
    for (let j = 0; j < n; j++) {
      s = s + a(j, i) * u[j];
    }
    v[i] = s;
  }
}

function norm(n) {
  const u = new Array(n).fill(1.0);
  const v = new Array(n).fill(0.0);
  const w = new Array(n).fill(0.0);
  for (let turn = 0; turn < 10; turn++) {
    times(n, u, w);
    timesTransposed(n, w, v);
    times(n, v, w);
    timesTransposed(n, w, u);
  }
  let vbv = 0.0;
  let vv = 0.0;
  for (let i = 0; i < n; i++) {
    vbv = vbv + u[i] * v[i];
    vv = vv + v[i] * v[i];
  }
  return (vbv / vv) ** 0.5;
}

console.log(String(Math.floor(norm(N) * 1000000000.0)));
