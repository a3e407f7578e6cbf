'use strict';
// The weights as heat maps. Weights that look at an image are shown as images.

const LARGEST_PICTURE = 360, LARGEST_OF_GATES = 200, MOST_TILES = 64;

function weightsSection(run, parent) {
  const made = section(
      parent, 'weights', 'Weights',
      'Blue adds, orange subtracts, and faint colours are near zero. In a matrix, a row is a ' +
          'unit and a column one of its inputs.');
  if (!run.network) {
    made.append(element('p', {class: 'absent'}, whyNoNetwork(run)));
    return;
  }
  const {description, weights} = run.network;
  const maps = element('div', {class: 'maps'});
  for (const [name, {shape, data}] of Object.entries(weights)) {
    if (shape.length < 2) continue;
    const values = numbersOf(data, 'f32');
    maps.append(weightFigure(name, shape, weightParts(name, shape, values, description)));
  }
  made.append(maps);
}

/** A weight as pictures: a matrix for each gate, or tiles for weights that look at an image. */
function weightParts(name, shape, values, description) {
  const {input, layers} = description;
  const [rows, columns] = [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)];
  if (shape.length === 4) {
    return [tiles('kernel', shape[0] * shape[1], shape[2], shape[3], values)];
  }
  if (input.form === 'flat' && columns === input.height * input.width) {
    return [tiles('unit', rows, input.height, input.width, values)];
  }
  const type = layers.find((layer) => name.startsWith(`${layer.name}.`))?.type;
  const gates = /weight_[ih]h/.test(name) ? {lstm: 'ifgo', gru: 'rzn'}[type] : undefined;
  const matrix = (title, first, count) => ({
    title,
    rows: count,
    columns,
    at: (r, c) => values[(first + r) * columns + c],
    describe: (r, c) => `row ${r}, column ${c}`,
  });
  if (!gates) return [matrix('', 0, rows)];
  const each = rows / gates.length;
  return [...gates].map((gate, g) => matrix(capital(GATES[gate]), g * each, each));
}

/** A small picture for each kernel or unit, with a line of zeros between them. */
function tiles(noun, all, height, width, values) {
  const shown = Math.min(all, MOST_TILES), across = Math.ceil(Math.sqrt(shown));
  const down = Math.ceil(shown / across);
  const tile = (r, c) => {
    const n = Math.floor(r / (height + 1)) * across + Math.floor(c / (width + 1));
    const [y, x] = [r % (height + 1), c % (width + 1)];
    return n < shown && y < height && x < width ? {n, y, x} : null;
  };
  return {
    title: `${shown < all ? `${shown} of ` : ''}${count(all, noun)}, each as a picture`,
    rows: down * (height + 1) - 1,
    columns: across * (width + 1) - 1,
    at: (r, c) => {
      const at = tile(r, c);
      return at ? values[(at.n * height + at.y) * width + at.x] : 0;
    },
    describe: (r, c) => {
      const at = tile(r, c);
      return at ? `${noun} ${at.n}, row ${at.y}, column ${at.x}` : `between two ${noun}s`;
    },
  };
}

/** The pictures of one weight, with one scale and one text that reads single values. */
function weightFigure(name, shape, parts) {
  const largest =
      Math.max(...parts.map(({rows, columns, at}) => valueRange(rows, columns, at, 'signed')[1]));
  const reading = element('p', {class: 'reading', role: 'status'});
  const pictures = parts.map(({title, rows, columns, at, describe}) => {
    const heat = heatMap({
      rows,
      columns,
      at,
      scale: 'signed',
      low: -largest,
      high: largest,
      label: `${name}${title && `, ${title}`}: heat map of ${rows} × ${columns} weights`,
      describe: (r, c) => reading.textContent = `${capital(describe(r, c))}: ${number(at(r, c))}`,
    });
    const cell = (parts.length > 1 ? LARGEST_OF_GATES : LARGEST_PICTURE) / Math.max(rows, columns);
    const side = cell >= 1 ? Math.min(Math.floor(cell), 16) : cell;
    // A matrix of a few rows or columns is stretched, so that they can be told apart.
    const length = (cells) => Math.max(side * cells, Math.min(12 * cells, 40));
    heat.style.width = `${length(columns)}px`;
    heat.style.aspectRatio = `${length(columns)} / ${length(rows)}`;
    return element('div', {}, title ? element('p', {class: 'title'}, title) : '', heat);
  });
  return element(
      'figure', {}, element('h3', {}, name, element('small', {}, ` ${shape.join(' × ')}`)),
      element('div', {class: 'maps gates'}, ...pictures),
      scaleKey('signed', number(-largest), number(largest)), reading);
}
