'use strict';
// The head of the page: what the run is, how it ended, what went wrong, and its result.

/** "rnn on mnist", from the configuration. */
function subject(run) {
  const settings = run.config?.settings || run.config || {};
  return [settings.model, run.dataset].filter(Boolean).join(' on ');
}

function howItEnded({status, step, steps}) {
  const of = steps && steps !== step ? ` of ${number(steps)}` : '';
  return {
    finished: `finished after ${count(step, 'step')}`,
    interrupted: `interrupted after step ${number(step)}${of}`,
    diverged: `diverged; the weights are from step ${number(step)}${of}`,
    training: `still training: step ${number(step)}${of}`,
  }[status] ||
      `${status}, step ${number(step)}${of}`;
}

/** Name, state, failure, findings and result of one run. */
function summarySection(run, parent) {
  const facts = [
    subject(run), howItEnded(run), run.parameter_count && count(run.parameter_count, 'parameter')
  ].filter(Boolean);
  parent.append(element(
      'header', {}, element('h1', {}, run.name),
      element('p', {class: 'facts'}, facts.join(' · '))));
  for (const note of run.notes || []) {
    parent.append(element('p', {class: 'missing'}, `A part of this page is missing: ${note}`));
  }
  addFailure(run, parent);
  addResult(run, parent);
}

function whatIsWrong({status, reason}) {
  if (status === 'diverged') return 'This run failed. The program stopped it and said:';
  if (status === 'unknown') return 'Nothing says how this run ended:';
  if (reason) return 'This run is not at its end:';
  return 'The program noticed this in the training:';
}

/** The reason of a failed run, then what was found: with the figure and the remedy. */
function addFailure(run, parent) {
  if (!run.reason && !(run.findings?.length > 0)) return;
  const made = section(parent, 'findings', 'What went wrong', whatIsWrong(run));
  made.classList.add(run.reason ? 'failure' : 'warning');
  addReasonAndFindings(run, made);
}

/** The reason says by itself that a run diverged, so that this finding is left out. */
function addReasonAndFindings({reason, findings = []}, parent) {
  if (reason) parent.append(element('p', {class: 'reason'}, ...flagsInCode(reason)));
  parent.append(findingsList(reason ? findings.filter(({name}) => name !== 'diverged') : findings));
}

function findingsList(findings) {
  if (findings.length === 0) return '';
  return element(
      'ul', {class: 'findings'},
      ...findings.map(
          ({step, name, what, remedy}) => element(
              'li', {}, element('strong', {}, capital(name)), ` at step ${number(step)}: ${what} `,
              remedy ? element('span', {}, 'Try: ', ...flagsInCode(remedy)) : '')));
}

/** A text whose flags, with their values, look like something to type. */
function flagsInCode(text) {
  return text.split(/(--[a-z][a-z0-9-]*(?: [0-9.]+)?)/)
      .map((part, i) => i % 2 ? element('code', {}, part) : part);
}

/** The metrics as large figures. */
function addResult(run, parent) {
  const {result} = run;
  const part = result?.part || 'test';
  const made = section(
      parent, 'results', 'Result',
      part === 'training' ? 'Measured on the samples that the network learns from.' :
                            `Measured on ${part} samples, which the network never learns from.`);
  if (!result) {
    made.append(element('p', {class: 'absent'}, 'This run has not been tested yet.'));
    return;
  }
  const figure = (value, name, note) => element(
      'div', {class: 'figure'}, element('dt', {}, name),
      element('dd', {}, element('b', {}, value), note ? element('small', {}, note) : ''));
  const figures =
      (result.metrics || [])
          .map((metric) => figure(metricText(metric), capital(metric.name), [
                 metric.total ? `${number(metric.correct)} of ${number(metric.total)} correct` :
                     metric.larger_is_better === false ? 'smaller is better' :
                                                         '',
                 ...(metric.baselines || [])
                     .map(({title, value}) => `${title}: ${metricText({...metric, value})}`)
               ].filter(Boolean).join('; ')));
  if (result.loss !== undefined) {
    figures.push(figure(number(result.loss), `${capital(part)} loss`, result.loss_name));
  }
  made.append(element('dl', {class: 'figures'}, ...figures));
}
