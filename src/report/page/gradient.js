'use strict';
// The norm of the gradient that reaches each time step, a line for each of some evaluations.

const MOST_LINES = 6;

function gradientSection(run, parent) {
  const insides =
      (run.evaluations || [])
          .filter(({inside}) => inside)
          .map(({step, diverged, inside}) => ({...inside, step, diverged: Boolean(diverged)}));
  const last = insides[insides.length - 1];
  const layers = (last?.layers || []).filter(({gradient}) => gradient?.length > 1);
  if (layers.length > 0) {
    gradientCharts(insides, last, layers, parent);
  } else if (run.network?.description.layers.some(({bidirectional}) => bidirectional)) {
    addGradientSection(parent).append(element(
        'p', {class: 'absent'},
        'The program measures this only in layers that read in one direction. This network reads ' +
            'its input in both.'));
  }
  const numbers = (last?.layers || []).filter(({weights}) => weights);
  if (numbers.length > 0) layerTable(last, numbers, parent);
}

function addGradientSection(parent) {
  return section(
      parent, 'gradient', 'How far back the gradient reaches',
      'Training sends the error back through time. A line that falls to the left means: early ' +
          'steps learn little. One that rises steeply means: the gradient explodes.');
}

/** "training step 500", or with a word that it is the one that failed. */
function trainingStep({step, diverged}) {
  return `training step ${number(step)}${diverged ? ', where it diverged' : ''}`;
}

function gradientCharts(insides, last, layers, parent) {
  const made = addGradientSection(parent);
  const grid = element('div', {class: layers.length > 1 ? 'charts' : 'charts single'});
  for (const {name} of layers) grid.append(gradientFigure(name, insides, last));
  made.append(grid);
}

/** The lines of one layer, and a sentence of the last one. Without a finite number: that alone. */
function gradientFigure(name, insides, last) {
  const title = `Gradient norm in ${name}`, shown = evenly(insides, MOST_LINES);
  const gradient = (inside) => inside.layers.find((layer) => layer.name === name)?.gradient || [];
  const lines =
      shown
          .map((inside, i) => ({
                 name: trainingStep(inside),
                 width: i === shown.length - 1 ? 2.5 : 1.5,
                 dash: i === shown.length - 1 ? [] : DASHES[1 + i % (DASHES.length - 1)],
                 colour: () => `rgb(${
                     scaleColours('amount')[Math.round(150 + 105 * (i + 1) / shown.length)]
                         .join()})`,
                 // The logarithm of 0 has no place on the axis.
                 points: inside.times.map((x, k) => ({x, y: gradient(inside)[k] || NaN})),
               }))
          .filter(({points}) => points.some(({y}) => Number.isFinite(y)));
  const figure = lines.length > 0 ?
      lineChart({title, xTitle: 'time step', logarithmic: true, xRange: range(last.times), lines})
          .element :
      element('figure', {}, element('h3', {}, title));
  figure.append(element('p', {class: 'note'}, reach(last, gradient(last))));
  return figure;
}

/** One sentence with the figure: how much of the last step's gradient is left at the first. */
function reach(inside, gradient) {
  const {times} = inside, first = gradient[0], end = gradient[gradient.length - 1];
  const at = `At ${trainingStep(inside)},`;
  if (!Number.isFinite(first) || !Number.isFinite(end)) {
    return `${at} the gradient is not finite: it is too large for the numbers.`;
  }
  if (!(first > 0 && end > 0)) {
    return `${at} no gradient arrives at time step ${
        number(times[0])}: it is too small for the numbers.`;
  }
  return `${at} the gradient at time step ${number(times[0])} is ${
      number(first / end)} times as large as at time step ${number(times[times.length - 1])}.`;
}

/** At most `most` members, evenly spaced, the last one always. */
function evenly(list, most) {
  if (list.length <= most) return list;
  return Array.from({length: most}, (_, i) => list[Math.round(i * (list.length - 1) / (most - 1))]);
}

/** Weights, updates and activations of each layer in numbers. */
function layerTable(inside, layers, parent) {
  const spread = (numbers) => numbers ? `${number(numbers[0])} ± ${number(numbers[1])}` : '–';
  const made = section(
      parent, 'layers', 'Layer by layer',
      `Mean and spread of each layer's numbers at ${trainingStep(inside)}.`);
  const columns = [
    {text: 'Layer'}, {text: 'Weights', number: true}, {text: 'Last update', number: true},
    {text: 'Update / weights', number: true}, {text: 'Activations', number: true}
  ];
  const dead = layers.some((layer) => layer.dead !== undefined);
  if (dead) columns.push({text: 'Dead units', number: true});
  made.append(table(
      'Layers in numbers', columns,
      layers.map(
          (layer) =>
              [layer.name,
               spread(layer.weights),
               spread(layer.updates),
               layer.moved === undefined ? '–' : number(layer.moved),
               spread(layer.activations),
               ...(dead ? [layer.dead === undefined ? '–' : percent(layer.dead)] : []),
  ])));
}
