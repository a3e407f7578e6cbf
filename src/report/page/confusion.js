'use strict';
// The confusion matrix. Each cell is a button that shows the samples the run kept of it.

const MOST_CLASSES = 30;

function confusionSection(run, samples, parent) {
  if (!run.confusion || run.confusion.length === 0) return;
  const made = section(
      parent, 'confusion', 'Confusion matrix',
      'A row is the true class, a column the predicted one. Choose a cell to ' +
          'see its samples.');
  const shown = element('div', {
    class: 'cell-samples',
    role: 'region',
    tabindex: -1,
    'aria-label': 'Samples of the chosen cell'
  });
  const show = (truth, read) => showCell(run, samples, shown, truth, read);
  made.append(
      run.confusion.length > MOST_CLASSES ? largestConfusions(run, show) : confusionGrid(run, show),
      shown);
}

function className(run, c) {
  return (run.classes || [])[c] ?? String(c);
}

/** The matrix as a grid: Tab reaches one cell, arrow keys go on from it. */
function confusionGrid(run, show) {
  const matrix = run.confusion, size = matrix.length;
  const mistakes = Math.max(1, ...matrix.flatMap((row, t) => row.filter((_, p) => p !== t)));
  const buttons = matrix.map((row, truth) => row.map((n, read) => {
    const total = row.reduce((a, b) => a + b, 0);
    const button = element(
        'button', {
          type: 'button',
          tabindex: truth + read === 0 ? 0 : -1,
          'aria-label': `${className(run, truth)} read as ${className(run, read)}: ${
              number(n)} of ${number(total)}`,
          onclick: () => choose(truth, read),
          onkeydown: (event) => move(event, truth, read),
        },
        n === 0 ? '' : String(n));
    // A good class is a dark cell of the diagonal. Mistakes are few: they have their own scale.
    const share = truth === read ? n / Math.max(total, 1) : n && 0.1 + 0.9 * n / mistakes;
    const paint = () => {
      const [scale, value] = truth === read ? ['amount', 0.85 * share] : ['signed', -0.8 * share];
      const fill = scaleColour(scale, value, scale === 'signed' ? -1 : 0, 1);
      button.style.background = `rgb(${fill.join()})`;
      button.style.color = inkOn(fill);
    };
    paint();
    whenThemeChanges(button, paint);
    return button;
  }));
  const focus = (truth, read) => {
    buttons.flat().forEach((button) => button.tabIndex = -1);
    buttons[truth][read].tabIndex = 0;
    buttons[truth][read].focus();
  };
  const choose = (truth, read) => {
    buttons.flat().forEach((button) => button.removeAttribute('aria-pressed'));
    buttons[truth][read].setAttribute('aria-pressed', 'true');
    show(truth, read);
  };
  const move = (event, truth, read) => {
    const by = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    if (!by[event.key]) return;
    const [down, right] = by[event.key], inside = (i) => Math.max(0, Math.min(size - 1, i));
    focus(inside(truth + down), inside(read + right));
    event.preventDefault();
  };
  const names = run.confusion.map((_, c) => className(run, c));
  const long = names.some((name) => name.length > 3);
  return scroller(
      'Confusion matrix',
      element(
          'table', {class: long ? 'confusion long' : 'confusion'},
          element(
              'caption', {class: 'hidden'}, 'Confusion matrix: true classes by predicted classes'),
          element(
              'thead', {},
              element(
                  'tr', {}, element('td', {class: 'corner'}, 'true ↓ read →'),
                  ...names.map(
                      (name) => element('th', {scope: 'col'}, element('span', {}, name))))),
          element(
              'tbody', {},
              ...buttons.map(
                  (row, truth) => element(
                      'tr', {}, element('th', {scope: 'row'}, names[truth]),
                      ...row.map((button) => element('td', {}, button)))))));
}

/** With many classes: the largest mistakes alone. */
function largestConfusions(run, show) {
  const cells = run.confusion.flatMap((row, truth) => row.map((n, read) => ({n, truth, read})))
                    .filter(({n, truth, read}) => n > 0 && truth !== read)
                    .sort((a, b) => b.n - a.n)
                    .slice(0, 30);
  return table(
      'Largest confusions',
      [{text: 'True class'}, {text: 'Read as'}, {text: 'Samples', number: true}, {text: ''}],
      cells.map(
          ({n, truth, read}) =>
              [className(run, truth),
               className(run, read),
               number(n),
               element('button', {type: 'button', onclick: () => show(truth, read)}, 'Show'),
  ]));
}

function showCell(run, samples, parent, truth, read) {
  const n = run.confusion[truth][read];
  const title = `${className(run, truth)} read as ${className(run, read)}`;
  const kept = !samples ?
      [] :
      Array.from({length: samples.count}, (_, i) => i)
          .filter((i) => samples.target(i) === truth && samples.prediction(i) === read);
  const said = n === 0  ? 'No test sample is in this cell.' :
      kept.length === 0 ? `${count(n, 'test sample')}. The run kept none of them.` :
      kept.length < n ? `${number(kept.length)} of ${count(n, 'test sample')}.` :
                        `${count(n, 'test sample')}.`;
  parent.replaceChildren(
      element('h3', {}, title), element('p', {role: 'status'}, said),
      element(
          'ul', {class: 'thumbnails'},
          ...kept.map(
              (i) => element(
                  'li', {}, samplePicture(samples, i),
                  sampleLink(samples, i, `Sample ${samples.data.indices[i]}`)))));
}
