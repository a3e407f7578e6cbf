'use strict';
// What a network does over the steps of one sample: pictures beside each other on one axis of time.
// For images time goes down, so that each line of every picture is a row of the image. For series
// it goes from left to right.

const MOST_STEPS = 400;

/**
 * The axis of time of a sample: its direction, the steps shown, and what a step is called.
 * `aligned`: each of them ends a row of the image, which is not so if the model reads pixels in
 * another order.
 */
function timeView(samples, steps) {
  const {form, width, permutation} = (samples.network || samples.run).input;
  if (samples.isImage) {
    const each = form === 'pixels' ? width : 1;
    const shown = Array.from({length: steps / each}, (_, row) => (row + 1) * each - 1);
    const aligned = (permutation ?? null) === null;
    const name = (k) => aligned ? `row ${k + 1}` : `step ${shown[k] + 1}`;
    return {down: true, aligned, steps: shown, name};
  }
  const every = Math.ceil(steps / MOST_STEPS);
  const shown = Array.from(
      {length: Math.ceil(steps / every)}, (_, k) => Math.min(steps - 1, (k + 1) * every - 1));
  return {down: false, aligned: true, steps: shown, name: (k) => `step ${shown[k] + 1}`};
}

/**
 * A picture of values over time: {title, lanes, at(lane, step), scale, low, high, names, truth,
 * largest}. `names` are labels of its lanes; `truth` and `largest` mark two of them.
 */
function timePanel(panel, view) {
  const {lanes, at, scale, low, high, title, names} = panel, long = view.steps.length;
  const heat = heatMap({
    rows: view.down ? long : lanes,
    columns: view.down ? lanes : long,
    scale,
    low,
    high,
    label: `${title}, heat map of ${count(lanes, 'value')} over ${count(long, 'step')}`,
    at: view.down ? (k, lane) => at(lane, view.steps[k]) : (lane, k) => at(lane, view.steps[k]),
  });
  const body = element('div', {class: 'body'}, heat);
  if (names && names.length <= 24) body.append(laneNames(names, panel));
  const made = element('div', {class: 'panel'}, element('p', {class: 'title'}, title), body);
  made.style.setProperty('--lanes', lanes);
  made.heat = heat;
  return made;
}

function laneNames(names, {truth, largest}) {
  const long = names.some((name) => name.length > 2);
  return element(
      'ol', {class: long ? 'lane-names long' : 'lane-names', 'aria-hidden': 'true'},
      ...names.map(
          (name, c) => element(
              'li', {
                class: [c === truth ? 'truth' : '', c === largest ? 'largest' : ''].join(' '),
              },
              name)));
}

/** Panels on one axis of time. */
function timePanels(panels, view) {
  const named = panels.some((panel) => panel.querySelector('.lane-names, .lines'));
  return element(
      'div', {class: view.down ? 'time down' : `time across${named ? ' named' : ''}`}, ...panels);
}

/**
 * Panels with a slider and the pointer, which read one step of all of them: read(k) is its text.
 */
function timeFigure(panels, view, read) {
  const last = view.steps.length - 1;
  const marks = panels.filter((panel) => panel.heat).map((panel) => {
    const mark = element('span', {class: 'mark'});
    panel.heat.append(mark);
    return mark;
  });
  const reading = element('output', {class: 'reading'});
  const slider = element(
      'input',
      {type: 'range', min: 0, max: last, value: last, oninput: () => show(slider.valueAsNumber)});
  const show = (k) => {
    slider.value = k;
    slider.setAttribute('aria-valuetext', view.name(k));
    const place = `${100 * k / (last + 1)}%`, size = `${100 / (last + 1)}%`;
    for (const mark of marks) {
      Object.assign(
          mark.style,
          view.down ? {top: place, height: size, left: 0, right: 0} :
                      {left: place, width: size, top: 0, bottom: 0});
    }
    const text = read(k);
    reading.textContent = text && `${capital(view.name(k))}: ${text}`;
  };
  for (const {heat} of panels.filter((panel) => panel.heat)) {
    heat.addEventListener('pointermove', (event) => {
      const box = heat.getBoundingClientRect();
      const share = view.down ? (event.clientY - box.top) / box.height :
                                (event.clientX - box.left) / box.width;
      show(Math.max(0, Math.min(last, Math.floor(share * (last + 1)))));
    });
  }
  show(last);
  return element(
      'figure', {}, timePanels(panels, view),
      element(
          'label', {class: 'choice slider'}, view.down && view.aligned ? 'Row' : 'Step', slider),
      reading);
}

/** The panel with the input of a sample, if it has the axis of time. */
function inputPanel(samples, i, view) {
  const input = samples.input(i), features = samples.features();
  if (samples.isImage && view.aligned) {
    const panel = timePanel(
        {
          title: 'Input',
          lanes: features,
          low: 0,
          high: 255,
          at: (lane, t) => input[rowOf(view, t) * features + lane]
        },
        view);
    panel.classList.add('picture');
    return panel;
  }
  if (samples.isImage) return plainPanel('Input', samplePicture(samples, i), 'picture');
  const panel = plainPanel(inputTitle(samples), samplePicture(samples, i));
  panel.style.setProperty('--lanes', features);
  if (samples.data.type !== 'i64') panel.heat = panel.querySelector('.heat, .lines');
  return panel;
}

function plainPanel(title, picture, kind = '') {
  return element(
      'div', {class: `panel ${kind}`}, element('p', {class: 'title'}, title),
      element('div', {class: 'body'}, picture));
}

/** "Input: first number solid, second dashed". */
function inputTitle(samples) {
  const features = samples.features(), {names = []} = samples.network?.input || {};
  if (features === 1 || features > 3 || samples.isImage) return 'Input';
  return 'Input: ' +
      ['solid', 'dashed', 'dotted']
          .slice(0, features)
          .map((style, f) => `${names[f] || `number ${f + 1}`} ${style}`)
          .join(', ');
}

/** The row of the image that ends at step t. */
function rowOf(view, t) {
  return view.steps.indexOf(t);
}

/** The panel with the outputs after each step: probabilities, or the values themselves. */
function outputPanel(samples, i, trace, view) {
  const network = samples.network;
  if (samples.task === 'values' || network.output !== 'logits') {
    const values = trace.outputs;
    if (samples.task === 'values' && network.outputs === 1) {
      const [wanted] = [].concat(samples.target(i));
      const picture = linePicture(
          'Output after every step, and the answer',
          [view.steps.map((t) => values[t][0]), view.steps.map(() => wanted)]);
      return Object.assign(
          plainPanel('Output: after every step solid, the answer dashed', picture),
          {heat: picture});
    }
    return timePanel(
        {
          title: 'Output',
          lanes: network.outputs,
          at: (lane, t) => values[t][lane],
          scale: 'signed'
        },
        view);
  }
  const shares = trace.outputs.map((outputs) => softmax(outputs));
  const names = Array.from({length: network.outputs}, (_, c) => samples.name(c));
  const single = samples.task === 'classes';
  const panel = timePanel(
      {
        title: 'Probability',
        lanes: network.outputs,
        at: (lane, t) => shares[t][lane],
        low: 0,
        high: 1,
        names,
        truth: single ? samples.target(i) : -1,
        largest: single ? samples.prediction(i) : -1,
      },
      view);
  panel.classList.add('probabilities');
  panel.shares = shares;
  return panel;
}

/** Input, outputs if the network has any after each step, and answers if each step has one. */
function samplePanels(samples, i, trace, view) {
  const panels = [inputPanel(samples, i, view)];
  if (trace.outputs.length > 0) panels.push(outputPanel(samples, i, trace, view));
  if (samples.task === 'step_classes') panels.push(answerPanel(samples, i, view));
  return panels;
}

/** The class wanted at each step, if there is one: 1 in its lane. */
function answerPanel(samples, i, view) {
  const wanted = samples.target(i), lanes = samples.classes;
  return timePanel(
      {
        title: 'Right answer',
        lanes,
        low: 0,
        high: 1,
        at: (lane, t) => wanted[t] === lane ? 1 : 0,
        names: Array.from({length: lanes}, (_, c) => samples.name(c)),
      },
      view);
}

/** "4 (62.1 %), 9 (30.0 %), 7 (3.2 %)": the most probable classes. */
function bestClasses(samples, shares) {
  return Array.from(shares, (share, c) => ({share, c}))
      .sort((a, b) => b.share - a.share)
      .slice(0, 3)
      .map(({share, c}) => `${samples.name(c)} (${percent(share)})`)
      .join(', ');
}
