'use strict';
// The hidden state while the network reads a sample of the reader's choice.

/** Shows a sample in this section; set by insideSection if the network has hidden states. */
let lookInside = null;

const GATES = {
  i: 'input gate',
  f: 'forget gate',
  g: 'candidate',
  o: 'output gate',
  r: 'reset gate',
  z: 'update gate',
  n: 'candidate'
};

/** What a trace has: [{name, layer, values, size}], hidden states first. */
function tracedParts({layers}) {
  const parts = (layer) => {
    // The name of a layer that the run kept says which layer of a stack it is.
    const place = layer.layer === undefined ?
        '' :
        `, layer ${layer.layer + 1}${layer.direction ? ', backwards' : ''}`;
    const several = layers.length > 1 ? ` of ${layer.name}${place}` : '';
    const all = [{name: `Hidden state${several}`, values: layer.h, size: layer.size}];
    if (layer.c) all.push({name: `Cell state${several}`, values: layer.c});
    for (const [key, values] of Object.entries(layer.gates || {})) {
      all.push({name: `${capital(GATES[key] || key)}${several}`, values});
    }
    return all.map((part) => ({...part, size: part.values.length / layer.steps}));
  };
  return layers.flatMap(parts);
}

function insideSection(run, samples, parent) {
  const made = section(parent, 'inside', 'Inside the network', whatIsInside(run, samples));
  const absent = (text) => made.append(element('p', {class: 'absent'}, text));
  if (!run.network && !samples?.remembers()) return absent(whyNoNetwork(run));
  if (!samples) return absent('This run kept no samples to look at.');
  if (!samples.remembers()) {
    return absent('This network has no recurrent layer, and so no hidden state.');
  }
  const looks = Array.from({length: samples.looks()}, (_, i) => i);
  const worst = (run.samples.worst || []).filter((i) => i < looks.length);
  const order = [...worst, ...looks.filter((i) => !worst.includes(i))];
  const names = order.map((i) => samples.title(i));
  const figure = element('div');
  let at = 0, part = 0;
  const draw = () => figure.replaceChildren(insideFigure(samples, order[at], part, sort.checked));
  const chosen = choice('Sample', names, (i) => {
    at = i;
    draw();
  });
  const go = (i) => {
    at = (i + order.length) % order.length;
    chosen.select.selectedIndex = at;
    draw();
  };
  const parts = choice('Show', tracedParts(samples.trace(0)).map(({name}) => name), (i) => {
    part = i;
    draw();
  });
  const sort = element('input', {type: 'checkbox', checked: true, onchange: draw});
  lookInside = (i) => {
    go(order.indexOf(i));
    made.scrollIntoView();
    chosen.select.focus({preventScroll: true});
  };
  made.append(
      element(
          'div', {class: 'controls'}, chosen.element,
          element(
              'div', {class: 'buttons'},
              element('button', {type: 'button', onclick: () => go(at - 1)}, 'Previous'),
              element('button', {type: 'button', onclick: () => go(at + 1)}, 'Next')),
          parts.element,
          element('label', {class: 'choice check'}, sort, 'Sort units by their busiest step')),
      figure);
  draw();
}

/** Why the network does not run in this page. */
function whyNoNetwork(run) {
  return run.network_note || 'This run has no model, or none that can be read.';
}

/** What the section shows, in one sentence or two. */
function whatIsInside(run, samples) {
  if (!samples?.remembers())
    return 'What a recurrent network remembers after every step of one sample.';
  if (!run.network) {
    const kept = `The run kept the hidden states of ${count(samples.looks(), 'sample')}`;
    return `This network is too large to run inside a page. ${kept}.`;
  }
  const layers = run.network.description.layers;
  const memory = samples.trace(0).layers.some(({c}) => c);
  const what = memory ? 'Hidden state and cell state are' : 'The hidden state is';
  const both = layers.some(({bidirectional}) => bidirectional);
  return `${what} all that a recurrent network remembers: here after every step of one sample.` +
      (both ? ' What reads backwards begins at the last step.' : '');
}

/** Input, states and outputs of one sample on one axis of time. */
function insideFigure(samples, i, part, sorted) {
  const trace = samples.trace(i), parts = tracedParts(trace);
  const {name, values, size} = parts[part];
  const steps = values.length / size, view = timeView(samples, steps);
  const units = sorted ? unitsByPeak(values, size, steps) : Array.from({length: size}, (_, j) => j);
  const [low, high] = range(values), signed = low < 0;
  const edge = Math.max(-low, high) || 1;
  const state = timePanel(
      {
        title: name,
        lanes: size,
        at: (lane, t) => values[t * size + units[lane]],
        scale: signed ? 'signed' : 'amount',
        low: signed ? -edge : 0,
        high: edge,
      },
      view);
  state.classList.add('state');
  const [input, output, ...rest] = samplePanels(samples, i, trace, view);
  const panels = [input, state, output, ...rest].filter(Boolean);
  const made = timeFigure(panels, view, (k) => {
    const t = view.steps[k], now = values.subarray(t * size, (t + 1) * size);
    const busiest = Array.from(now, (x, j) => [j, x])
                        .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
                        .slice(0, 3)
                        .map(([j, x]) => `unit ${j} (${number(x)})`)
                        .join(', ');
    const shares = output?.shares;
    const believed = shares ? `${bestClasses(samples, shares[t])}. ` :
        output ? `output ${Array.from(trace.outputs[t], (x) => number(x)).join(', ')}. ` :
                 '';
    return `${believed}Busiest: ${busiest}.`;
  });
  made.append(scaleKey(signed ? 'signed' : 'amount', signed ? number(-edge) : '0', number(edge)));
  return made;
}

/** Units in the order of the step at which they are largest. */
function unitsByPeak(values, size, steps) {
  const peaks = Array.from(
      {length: size},
      (_, j) =>
          argmax(Float32Array.from({length: steps}, (_, t) => Math.abs(values[t * size + j]))));
  return peaks.map((peak, j) => [peak, j]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([
                                                                                            , j
                                                                                          ]) => j);
}
