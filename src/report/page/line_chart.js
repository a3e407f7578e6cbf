'use strict';
// Line charts by Chart.js, with the page's colours, a key in HTML and values for the keyboard.

const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [5, 2], [12, 5]];

/** The dash of run i. Runs with the same of the six colours have different dashes. */
function runDash(i) {
  return DASHES[(i + Math.floor(i / 6)) % DASHES.length];
}

/** Whether numbers are read better by their powers of ten: all above zero, over two decades. */
function spansDecades(numbers) {
  const [low, high] = range(numbers);
  return low > 0 && high / low > 100;
}

/**
 * A chart of lines over an axis of whole numbers. A line is {name, points: [{x, y}], colour(),
 * width, dash, dots}; a y that is null leaves a gap. Returns {element, chart}.
 */
function lineChart({
  title,
  xTitle,
  unit = '',
  lines,
  xRange: [min, max] = [],
  fromZero = false,
  logarithmic = spansDecades(lines.flatMap((line) => line.points.map(({y}) => y))),
}) {
  const canvas = element('canvas', {
    tabindex: 0,
    role: 'application',
    'aria-label': `${title}: ${lines.map(lineInWords).join('; ')}. ` +
        'Arrow keys read the values, plus and minus zoom, 0 shows everything.',
  });
  const box = element('div', {class: 'chart'}, canvas);
  const reading = element('p', {class: 'hidden', role: 'status'});
  const chart = new Chart(canvas, {
    type: 'line',
    data: {datasets: lines.map(dataset)},
    options: {
      animation: false,
      maintainAspectRatio: false,
      normalized: true,
      layout: {padding: {right: 12}},  // for half of the last label
      parsing: false,
      interaction: {mode: 'nearest', axis: 'x', intersect: false},
      plugins: {
        legend: {display: false},
        tooltip: {callbacks: tooltipTexts(xTitle, unit), boxPadding: 4, displayColors: false},
      },
      scales: {
        x: {
          type: 'linear',
          min,
          max,
          title: {display: true, text: xTitle},
          ticks: {precision: 0, maxRotation: 0, autoSkipPadding: 20, includeBounds: false}
        },
        y: {
          type: logarithmic ? 'logarithmic' : 'linear',
          beginAtZero: fromZero,
          ticks: {callback: logarithmic ? decades : (y) => number(y), maxTicksLimit: 8}
        },
      },
    },
  });
  const paint = () => paintChart(chart, lines);
  paint();
  whenThemeChanges(canvas, paint);
  addReadingKeys(canvas, chart, reading, xTitle, unit);
  const figure = element(
      'figure', {}, element('h3', {}, title, logarithmic ? element('small', {}, ' log scale') : ''),
      box, reading);
  if (lines.length > 1) figure.append(lineKey(lines));
  return {element: figure, chart, box};
}

function dataset(line) {
  return {
    label: line.name,
    data: line.points.map(({x, y}) => ({x, y: y === null || y === undefined ? NaN : y})),
    borderWidth: line.width || 2,
    borderDash: line.dash || [],
    pointRadius: line.dots || line.points.length === 1 ? 3 : 0,
    pointHoverRadius: 5,
    clip: 4,  // dots at the edge stay whole
    tension: 0,
  };
}

/** "training loss from 2.3 at 1 to 0.02 at 3,000". */
function lineInWords({name, points}) {
  const known = points.filter(({y}) => Number.isFinite(y));
  if (known.length === 0) return `${name} has no finite value`;
  const first = known[0], last = known[known.length - 1];
  return `${name} from ${number(first.y)} at ${number(first.x)} to ${number(last.y)} at ${
      number(last.x)}`;
}

function tooltipTexts(xTitle, unit) {
  return {
    title: (items) => items.length ? `${xTitle} ${number(items[0].parsed.x)}` : '',
    label: (item) => `${item.dataset.label}: ${number(item.parsed.y)}${unit}`,
  };
}

/** Labels of a logarithmic axis: 1, 2 and 5 of each decade, or 1 alone if there are many. */
function decades(value, _, ticks) {
  const lead = Math.round(value / 10 ** Math.floor(Math.log10(value) + 1e-9));
  const many = ticks[ticks.length - 1].value / ticks[0].value > 2e3;
  if (lead !== 1 && (many || (lead !== 2 && lead !== 5))) return null;
  return value < 1e6 ? number(value) : value.toExponential().replace('e+', 'e');
}

function paintChart(chart, lines) {
  const soft = colour('soft'), rule = colour('rule');
  lines.forEach((line, i) => {
    const set = chart.data.datasets[i];
    set.borderColor = set.backgroundColor = set.pointHoverBackgroundColor = line.colour();
  });
  for (const axis of Object.values(chart.options.scales)) {
    axis.ticks.color = soft;
    axis.grid = {...axis.grid, color: rule, borderColor: rule, tickLength: 4};
    axis.title = {...axis.title, color: soft};
  }
  Object.assign(chart.options.plugins.tooltip, {
    backgroundColor: colour('ink'),
    titleColor: colour('paper'),
    bodyColor: colour('paper'),
  });
  chart.options.font = {family: getComputedStyle(document.body).fontFamily, size: 12};
  chart.update('none');
}

/** The names of the lines, each with a piece of its line. */
function lineKey(lines) {
  return element('ul', {class: 'line-key'}, ...lines.map((line) => {
    const piece = element('canvas', {width: 48, height: 12, 'aria-hidden': 'true'});
    const paint = () => {
      const context = piece.getContext('2d');
      context.clearRect(0, 0, 48, 12);
      context.strokeStyle = context.fillStyle = line.colour();
      context.lineWidth = 2 * (line.width || 2);
      context.setLineDash((line.dash || []).map((length) => 2 * length));
      context.beginPath();
      context.moveTo(0, 6);
      context.lineTo(48, 6);
      context.stroke();
    };
    paint();
    whenThemeChanges(piece, paint);
    return element('li', {}, piece, line.name);
  }));
}

/** Left and right go from point to point of all lines; those that have one there show its value. */
function addReadingKeys(canvas, chart, reading, xTitle, unit) {
  const all = new Set(chart.data.datasets.flatMap(({data}) => data.map(({x}) => x)));
  const places = [...all].sort((a, b) => a - b);
  let place = -1;
  const show = (step) => {
    const {min, max} = chart.scales.x;
    const seen = places.filter((x) => x >= min && x <= max);
    if (seen.length === 0) return;
    place = Math.max(0, Math.min(seen.length - 1, place < 0 ? 0 : place + step));
    const x = seen[place];
    const active = chart.data.datasets.flatMap(({data}, datasetIndex) => {
      const index = data.findIndex((point) => point.x === x);
      return index < 0 || !Number.isFinite(data[index].y) ? [] : [{datasetIndex, index}];
    });
    chart.tooltip.setActiveElements(active, {x: 0, y: 0});
    chart.setActiveElements(active);
    chart.update('none');
    const values = active.map(({datasetIndex, index}) => {
      const {label, data} = chart.data.datasets[datasetIndex];
      return `${label} ${number(data[index].y)}${unit}`;
    });
    reading.textContent =
        `${xTitle} ${number(x)}: ${values.length > 0 ? values.join(', ') : 'not finite'}`;
  };
  canvas.addEventListener('keydown', (event) => {
    const pace = event.shiftKey ? 10 : 1;
    if (event.key === 'ArrowLeft')
      show(-pace);
    else if (event.key === 'ArrowRight')
      show(pace);
    else
      return;
    event.preventDefault();
  });
}
