// node strokes.mjs: checks src/report/page/strokes.js. Of the first 20,000 training images of
// MNIST, the larger side of the ink is 20 pixels in 19,997, the centre of mass is within half a
// pixel of pixel 14 in all, and the ink is 103 pixels on average.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';

const code = readFileSync('src/report/page/strokes.js', 'utf8');
const imageOfStrokes = new Function(`${code}; return imageOfStrokes`)();
const digits = JSON.parse(readFileSync('tests/browser/digits.json', 'utf8'));

/** The ink in pixels, its centre of mass, and its sides. */
function measure(image, width) {
  let ink = 0, x = 0, y = 0;
  const columns = new Set(), rows = new Set();
  image.forEach((value, i) => {
    if (value === 0) return;
    const column = i % width, row = Math.floor(i / width);
    ink += value / 255;
    x += value / 255 * column;
    y += value / 255 * row;
    columns.add(column);
    rows.add(row);
  });
  return {ink, x: x / ink, y: y / ink, wide: columns.size, high: rows.size};
}

const near = (value, expected, tolerance) =>
    assert.ok(Math.abs(value - expected) <= tolerance, `${value}, expected ${expected}`);

const moved = (strokes, f) => strokes.map((stroke) => stroke.map(f));

let total = 0;
for (const {strokes} of digits) {
  const image = imageOfStrokes(strokes, 28, 28), {ink, x, y, wide, high} = measure(image, 28);
  assert.equal(image.length, 784);
  assert.equal(Math.max(wide, high), 20);
  near(x, 14, 0.5);
  near(y, 14, 0.5);
  total += ink;
  // Where and how large somebody draws makes no difference.
  const elsewhere = imageOfStrokes(moved(strokes, ([u, v]) => [u * 300 - 40, v * 300 + 7]), 28, 28);
  image.forEach((value, i) => near(elsewhere[i], value, 4));
  // Smaller images are in proportion: a pixel is the mean of four, but for the place.
  const small = measure(imageOfStrokes(strokes, 14, 14), 14);
  assert.equal(Math.max(small.wide, small.high), 10);
  near(small.ink, ink / 4, 0.5);
  near(small.x, 7, 0.5);
  near(small.y, 7, 0.5);
}
near(total / digits.length, 103, 8);

// The area of a straight stroke is that of a rectangle and two half discs, of the pen's width.
const radius = 1.3, area = (20 - 2 * radius) * 2 * radius + Math.PI * radius * radius;
near(measure(imageOfStrokes([[[3, 1], [3, 9]]], 28, 28), 28).ink, area, 0.5);
near(measure(imageOfStrokes([[[1, 3], [9, 3]]], 28, 28), 28).ink, area, 0.5);
const aslant = measure(imageOfStrokes([[[0, 0], [10, 7]]], 28, 28), 28);
near(aslant.ink, area + (Math.hypot(1, 0.7) - 1) * (20 - 2 * radius) * 2 * radius, 0.5);
// A point is a disc, and nothing is nothing.
const point = measure(imageOfStrokes([[[5, 5]]], 28, 28), 28);
near(point.ink, Math.PI * radius * radius, 0.2);
near(point.x, 14, 0.5);
assert.deepEqual(imageOfStrokes([], 28, 28), new Uint8Array(784));

// Proportions are kept: a square and a flat rectangle.
const box = (w, h) => [[[0, 0], [w, 0], [w, h], [0, h], [0, 0]]];
const square = measure(imageOfStrokes(box(7, 7), 28, 28), 28);
assert.deepEqual([square.wide, square.high], [20, 20]);
const flat = measure(imageOfStrokes(box(8, 4), 28, 28), 28);
assert.equal(flat.wide, 20);
near(flat.high, 2 * radius + (20 - 2 * radius) / 2, 1);
// The centre of mass is the middle, not that of the box: a heavy foot sits lower than the middle.
const heavy = imageOfStrokes([[[0, 0], [0, 10]], [[-3, 9], [3, 9], [3, 10], [-3, 10]]], 28, 28);
near(measure(heavy, 28).y, 14, 0.5);
assert.ok(heavy.slice(0, 28).some((value) => value > 0) || heavy.slice(0, 56).some((v) => v > 0));
console.log('all right');
