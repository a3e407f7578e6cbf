'use strict';
// From strokes to an image as MNIST's were made (LeCun 1998): ink is scaled to fit a box of 20 x 20
// with its proportions kept and its edges grey, and then moved by whole pixels, so that its centre
// of mass is the middle of 28 x 28.

// Pixels of an image of 28 x 28. The pen gives digits as much ink as MNIST's have: 103 on average.
const INK_BOX = 20;
const PEN = 2.6;
const FINE = 8;  // a pixel has FINE x FINE points, which are ink or not

/** The width of the pen in pixels of an image. */
function penWidth(height, width) {
  return PEN * Math.min(height, width) / 28;
}

/**
 * The pixels, 0 to 255, of strokes: lists of points [x, y], in any unit. The pen has the same width
 * however large somebody draws. Other sizes of images are in proportion.
 */
function imageOfStrokes(strokes, height, width) {
  const image = new Uint8Array(height * width), points = strokes.flat();
  if (points.length === 0) return image;
  const unit = Math.min(height, width) / 28, pen = penWidth(height, width);
  const least = [0, 1].map((k) => Math.min(...points.map((p) => p[k])));
  const extents = [0, 1].map((k) => Math.max(...points.map((p) => p[k])) - least[k]);
  // The ink is wider than the path of the pen by the pen.
  const scale = (INK_BOX * unit - pen) / Math.max(...extents, 1e-9);
  const placed = strokes.map(
      (stroke) => stroke.map((p) => [0, 1].map((k) => (p[k] - least[k]) * scale + pen / 2)));
  const [columns, rows] = extents.map((extent) => Math.ceil(extent * scale + pen - 1e-9));
  const ink = inkOf(placed, pen / 2, rows, columns);
  const [right, down] = toTheMiddle(ink, rows, columns, height, width);
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < columns; ++c) {
      const y = r + down, x = c + right;
      if (y >= 0 && y < height && x >= 0 && x < width)
        image[y * width + x] = Math.round(255 * ink[r * columns + c]);
    }
  }
  return image;
}

/** The share of each pixel that is within `radius` of a stroke. */
function inkOf(strokes, radius, rows, columns) {
  const high = rows * FINE, wide = columns * FINE, fine = new Uint8Array(high * wide);
  const dab = ([ax, ay], [bx, by]) => {
    const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy;
    const first = (a, b) => Math.max(0, Math.floor((Math.min(a, b) - radius) * FINE));
    const end = (a, b, size) => Math.min(size, Math.ceil((Math.max(a, b) + radius) * FINE));
    for (let r = first(ay, by); r < end(ay, by, high); ++r) {
      for (let c = first(ax, bx); c < end(ax, bx, wide); ++c) {
        const x = (c + 0.5) / FINE - ax, y = (r + 0.5) / FINE - ay;
        const along = square > 0 ? Math.max(0, Math.min(1, (x * dx + y * dy) / square)) : 0;
        const u = x - along * dx, v = y - along * dy;
        if (u * u + v * v <= radius * radius) fine[r * wide + c] = 1;
      }
    }
  };
  for (const stroke of strokes) {
    dab(stroke[0], stroke[0]);
    for (let i = 1; i < stroke.length; ++i) dab(stroke[i - 1], stroke[i]);
  }
  const ink = new Float32Array(rows * columns);
  for (let r = 0; r < high; ++r) {
    for (let c = 0; c < wide; ++c) {
      ink[Math.floor(r / FINE) * columns + Math.floor(c / FINE)] +=
          fine[r * wide + c] / (FINE * FINE);
    }
  }
  return ink;
}

/**
 * By how many whole pixels ink moves right and down. Pixel 14 of 28 is the middle: in MNIST the
 * centres of mass are spread evenly from 13.5 to 14.5.
 */
function toTheMiddle(ink, rows, columns, height, width) {
  let sum = 0, x = 0, y = 0;
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < columns; ++c) {
      const amount = ink[r * columns + c];
      sum += amount;
      x += amount * c;
      y += amount * r;
    }
  }
  return sum > 0 ? [Math.round(width / 2 - x / sum), Math.round(height / 2 - y / sum)] : [0, 0];
}
