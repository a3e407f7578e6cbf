'use strict';
// The worst mistakes, each with the probability of every class after every step.

const CARDS_AT_ONCE = 12, SECONDS_AT_ONCE = 1;

function mistakesSection(run, samples, parent) {
  const made = section(
      parent, 'mistakes', run.task === 'classes' ? 'Worst mistakes' : 'Worst predictions',
      'The test samples with the largest loss.' +
          (samples?.answersOnTheWay() ?
               ' Beside each input stands what the network answered after every step.' :
               ''));
  const worst = run.samples?.worst || [];
  if (!samples || worst.length === 0) {
    made.append(element(
        'p', {class: 'absent'},
        samples ?
            'The run made no mistake on its samples.' :
            'This run kept no samples. A run that ends with this version of Unroll keeps them.'));
    return;
  }
  const cards = element('ul', {class: 'cards'});
  const more = element('button', {type: 'button', onclick: () => add()}, 'Show more');
  let shown = 0;
  const add = () => {
    const start = performance.now(), before = shown;
    // A slow network reads fewer samples at once, so that the page opens soon.
    while (shown < worst.length && shown < before + CARDS_AT_ONCE &&
           performance.now() < start + 1000 * SECONDS_AT_ONCE) {
      cards.append(mistakeCard(samples, worst[shown++]));
    }
    if (shown === worst.length) more.remove();
  };
  made.append(cards, element('div', {class: 'buttons'}, more));
  add();
}

function mistakeCard(samples, i) {
  const card = element(
      'li', {class: samples.isImage ? 'card' : 'card wide'},
      element('h3', {}, capital(samples.verdict(i))));
  const trace = samples.answersOnTheWay() ? samples.trace(i) : null;
  if (trace) {
    const view = timeView(samples, trace.outputs.length);
    card.append(timePanels(samplePanels(samples, i, trace, view), view));
  } else {
    card.append(samplePicture(samples, i));
    const shares = samples.task === 'classes' && samples.probabilities(samples.output(i));
    if (shares) card.append(element('p', {class: 'note'}, bestClasses(samples, shares)));
  }
  card.append(element(
      'p', {class: 'note'}, `Loss ${number(samples.data.losses[i])}`, ' · ',
      sampleLink(samples, i, `sample ${samples.data.indices[i]}`)));
  return card;
}
