'use strict';
// Makes the page from the data in it.

/** Runs `make`; a part that can't be shown says so and leaves the rest of the page alone. */
function attempt(make, parent) {
  try {
    return make();
  } catch (error) {
    console.error(error);
    parent.append(element('p', {class: 'absent'}, `This part can't be shown: ${error.message}`));
    return null;
  }
}

/** The picture of the network, which the program drew. */
function networkSection(run, parent) {
  const figure = document.getElementById('unrolled');
  if (!figure.querySelector('svg')) return;
  const recurrent = (run.parameters || []).some(({name}) => name.includes('weight_hh'));
  const heading = recurrent ? 'The network, unrolled' : 'The network';
  const made = section(
      parent, 'network', heading,
      recurrent ? 'One column is one time step. All columns use the same weights.' :
                  'It reads the whole input at once, from the bottom to the top.');
  figure.hidden = false;
  const box = scroller(heading, figure);
  made.append(box);
  // The outputs are above the last step: a narrow screen shows that end first.
  box.scrollLeft = box.scrollWidth;
}

function oneRun(run, parent) {
  const network = attempt(() => run.network ? new Network(run.network) : null, parent);
  const samples = attempt(() => run.samples?.count > 0 ? new Samples(run, network) : null, parent);
  const sections = [
    () => summarySection(run, parent),
    () => curvesSection([run], parent),
    () => networkSection(run, parent),
    () => confusionSection(run, samples, parent),
    () => mistakesSection(run, samples, parent),
    () => insideSection(run, samples, parent),
    () => gradientSection(run, parent),
    () => weightsSection(run, parent),
    () => run.input?.kind === 'image' && network && drawSection(run, network, parent),
    () => parametersSection(run, parent),
    () => configurationSection(run, parent),
    () => commandsSection(run, parent),
  ];
  for (const make of sections) attempt(make, parent);
}

const data = JSON.parse(document.getElementById('data').textContent);
const main = document.getElementById('main');
if (data.runs.length === 1) {
  oneRun(data.runs[0], main);
} else {
  attempt(() => compareSections(data, main), main);
}
main.append(element(
    'footer', {}, element('p', {}, `Made by ${data.program}. This page needs no network.`)));
