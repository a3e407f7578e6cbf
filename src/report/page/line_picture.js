'use strict';
// Series of numbers as lines without axes, at the size of their box.

/** A few series of numbers as lines over the same steps, with their lowest and highest value. */
function linePicture(label, series) {
  const canvas = element('canvas', {role: 'img', 'aria-label': label});
  const [low, high] = range(series.flat());
  const redraw = () => {
    const {width, height} = canvas.getBoundingClientRect(), dense = window.devicePixelRatio || 1;
    if (width === 0) return;
    const edge = 4;
    [canvas.width, canvas.height] = [width, height].map((size) => Math.round(size * dense));
    const context = canvas.getContext('2d');
    context.scale(dense, dense);
    context.lineWidth = 1.5;
    series.forEach((values, i) => {
      context.strokeStyle = i === 0 ? colour('accent') : runColour(i);
      context.setLineDash(DASHES[i % DASHES.length]);
      context.beginPath();
      values.forEach(
          (y, t) => context.lineTo(
              (t + 0.5) / values.length * width,
              height - edge - (y - low) / (high - low || 1) * (height - 2 * edge)));
      context.stroke();
    });
  };
  whenThemeChanges(canvas, redraw);
  new ResizeObserver(redraw).observe(canvas);
  return element(
      'div', {class: 'lines'}, canvas, element('span', {class: 'high'}, number(high)),
      element('span', {class: 'low'}, number(low)));
}
