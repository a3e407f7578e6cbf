'use strict';
// A matrix as a picture: one pixel of a canvas a cell, enlarged by the browser.

/**
 * A heat map of at(row, column). `scale`: 'amount' from low to high, or 'signed' around zero.
 * Without low and high: from the values. With describe(row, column) the pointer and the arrow keys
 * read single cells: it is told of the cell, and shows its text.
 */
function heatMap({rows, columns, at, scale = 'amount', low, high, label, describe}) {
  const canvas = element('canvas', {
    width: columns,
    height: rows,
    role: describe ? 'application' : 'img',
    'aria-label': label,
    tabindex: describe ? 0 : undefined,
  });
  const frame = element('div', {class: 'heat'}, canvas);
  frame.canvas = canvas;
  frame.redraw = () => {
    [frame.low, frame.high] =
        low === undefined ? valueRange(rows, columns, at, scale) : [low, high];
    drawCells(canvas, rows, columns, at, scale, frame.low, frame.high);
  };
  frame.redraw();
  whenThemeChanges(frame, frame.redraw);
  if (describe) addReading(frame, rows, columns, describe);
  return frame;
}

/** The range of the values; around zero for signed ones. */
function valueRange(rows, columns, at, scale) {
  const values = [];
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < columns; ++c) values.push(at(r, c));
  }
  const [low, high] = range(values);
  if (scale !== 'signed') return [low, high];
  const largest = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-largest, largest];
}

function drawCells(canvas, rows, columns, at, scale, low, high) {
  if (rows === 0 || columns === 0) return;
  const context = canvas.getContext('2d'), image = context.createImageData(columns, rows);
  for (let r = 0, i = 0; r < rows; ++r) {
    for (let c = 0; c < columns; ++c, i += 4) {
      image.data.set(scaleColour(scale, at(r, c), low, high), i);
      image.data[i + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** A frame around one cell, moved by the pointer and the arrow keys. */
function addReading(frame, rows, columns, describe) {
  const mark = element('span', {class: 'mark', hidden: true});
  let row = 0, column = 0;
  const show = (r, c) => {
    row = Math.max(0, Math.min(rows - 1, r));
    column = Math.max(0, Math.min(columns - 1, c));
    mark.hidden = false;
    mark.style.cssText = `left:${100 * column / columns}%;top:${100 * row / rows}%;` +
        `width:${100 / columns}%;height:${100 / rows}%`;
    describe(row, column);
  };
  const keys = {
    ArrowUp: () => show(row - 1, column),
    ArrowDown: () => show(row + 1, column),
    ArrowLeft: () => show(row, column - 1),
    ArrowRight: () => show(row, column + 1),
  };
  frame.canvas.addEventListener('keydown', (event) => {
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  });
  frame.canvas.addEventListener('focus', () => show(row, column));
  frame.canvas.addEventListener('pointermove', (event) => {
    const box = frame.canvas.getBoundingClientRect();
    show(
        Math.floor((event.clientY - box.top) / box.height * rows),
        Math.floor((event.clientX - box.left) / box.width * columns));
  });
  frame.canvas.addEventListener('pointerleave', () => mark.hidden = true);
  frame.canvas.addEventListener('blur', () => mark.hidden = true);
  frame.append(mark);
}

/** The key to a scale: its colours between the texts of its ends. */
function scaleKey(scale, low, high) {
  const strip = element('canvas', {width: 256, height: 1, 'aria-hidden': 'true'});
  const redraw = () => drawCells(strip, 1, 256, (_, c) => c, scale, 0, 255);
  redraw();
  whenThemeChanges(strip, redraw);
  return element('p', {class: 'key'}, low, strip, high);
}
