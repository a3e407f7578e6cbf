'use strict';
// Numbers as text.

/** At most four significant digits: 0.03142, 12.5, 1.2e-5; whole numbers in full: 14,010. */
function number(x) {
  if (typeof x !== 'number') return x === null || x === undefined ? 'not finite' : String(x);
  if (!Number.isFinite(x)) return 'not finite';
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e8) return x.toLocaleString('en-US');
  if (size >= 1e6 || size < 1e-3)
    return Number(x.toPrecision(3)).toExponential().replace('e+', 'e');
  return x.toLocaleString('en-US', {maximumSignificantDigits: 4});
}

/** 0.981 as 98.1 %, which no line breaks; never 100 % for less, never 0 % for more. */
function percent(share) {
  if (!Number.isFinite(share)) return 'not finite';
  if (share > 0 && share < 0.0005) return '<0.1\u00a0%';
  if (share < 1 && share >= 0.9995) return '>99.9\u00a0%';
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** A setting of config.json as text. */
function setting(value) {
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

/** "1 step", "3,000 steps". */
function count(n, noun) {
  return `${number(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** The value of a metric with its unit: 98.97 %. */
function metricText(metric) {
  if (metric.unit === '%' && Number.isFinite(metric.value))
    return `${metric.value.toFixed(2)}\u00a0%`;
  return `${number(metric.value)}${metric.unit ? ` ${metric.unit}` : ''}`;
}

/** The position of the largest number. */
function argmax(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; ++i) {
    if (numbers[i] > numbers[best]) best = i;
  }
  return best;
}

/** The smallest and largest finite number, or [0, 1] if there is none. */
function range(numbers) {
  let low = Infinity, high = -Infinity;
  for (const x of numbers) {
    if (!Number.isFinite(x)) continue;
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return low <= high ? [low, high] : [0, 1];
}
