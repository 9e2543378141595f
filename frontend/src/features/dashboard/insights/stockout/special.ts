/** The two special functions that negative binomial demand needs, to about twelve digits. */

const TINY = 1e-300;
const CLOSE = 1e-14;
const MOST_ROUNDS = 20_000;

/** ln Γ(x), x > 0: Stirling's series from 10 on, below it by the recurrence (DLMF 5.11.1, 5.5.1). */
export function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at += 1) shift += Math.log(at);
  const square = 1 / (at * at);
  const series =
    (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/** I_x(a, b), the regularised incomplete beta function, by its continued fraction (DLMF 8.17.22). */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on one side of the mean only; the other side is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (front === 0) return 0;
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < MOST_ROUNDS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return (front * value) / a;
}

/** P(a, x), the regularised lower incomplete gamma function (DLMF 8.7.1 and 8.9.2). */
export function incompleteGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MOST_ROUNDS && term > sum * CLOSE; n += 1) {
      term *= x / (a + n);
      sum += term;
    }
    return front * sum;
  }
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / away(b);
  let value = d;
  for (let n = 1; n < MOST_ROUNDS; n += 1) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / away(step * d + b);
    c = away(b + step / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return 1 - front * value;
}

/** Lentz's method divides by these; a zero is moved a hair. */
const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
