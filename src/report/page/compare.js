'use strict';
// Several runs on one page: results, seeds, settings that differ, findings.

function compareSections(data, parent) {
  const {runs, groups = [], differences} = data;
  parent.append(element(
      'header', {}, element('h1', {}, `${runs.length} runs`),
      element('p', {class: 'facts'}, [...new Set(runs.map(subject))].join(' · '))));
  resultsOfRuns(runs, parent);
  groupsSection(groups, runs, parent);
  findingsOfRuns(runs, parent);
  curvesSection(runs, parent);
  differencesSection(differences, runs, parent);
  commandsOfRuns(runs, parent);
}

/** All metrics that any run has, by key. */
function allMetrics(runs) {
  const all = new Map();
  for (const {result} of runs)
    for (const metric of result?.metrics || []) all.set(metric.key, metric);
  return all;
}

/** A word or a few, for a cell of a table. */
function state({status, step, steps}) {
  const at = `${number(step)}${steps ? ` of ${number(steps)}` : ''}`;
  return {finished: 'finished', training: `training, ${at}`}[status] || `${status} after ${at}`;
}

function resultsOfRuns(runs, parent) {
  const made = section(
      parent, 'results', 'Results',
      'Measured on test samples, which the networks never learn from.');
  const metrics = allMetrics(runs);
  made.append(table(
      'Results',
      [
        {text: 'Run'}, {text: 'State'},
        ...[...metrics.values()].map(({name}) => ({text: capital(name), number: true})),
        {text: 'Test loss', number: true}, {text: 'Parameters', number: true}
      ],
      runs.map(
          (run) =>
              [run.name,
               state(run),
               ...[...metrics.keys()].map((key) => {
                 const metric = run.result?.metrics?.find((metric) => metric.key === key);
                 return metric ? metricText(metric) : '–';
               }),
               run.result?.loss === undefined ? '–' : number(run.result.loss),
               run.parameter_count === undefined ? '–' : number(run.parameter_count),
  ])));
}

/** Runs that differ by the seed alone: mean and spread. */
function groupsSection(groups, runs, parent) {
  const several = groups.filter((group) => group.runs.length > 1);
  if (several.length === 0) return;
  const metrics = allMetrics(runs);
  const made = section(
      parent, 'compare', 'Mean over seeds',
      'Runs that differ by their seed alone, with the mean and the standard ' +
          'deviation of their results.');
  made.append(table(
      'Mean over seeds',
      [
        {text: 'Runs'}, {text: 'Seeds', number: true}, {text: 'Metric'},
        {text: 'Mean', number: true}, {text: 'Spread', number: true},
        {text: 'Each run', number: true}
      ],
      several.flatMap(({name, runs, metrics: results}) => results.map((result) => {
        const {name: metric, unit} = metrics.get(result.key) || {name: result.key};
        const text = (value) => metricText({value, unit});
        return [
          name, number(runs.length), metric, text(result.mean), `± ${text(result.deviation)}`,
          (result.values || [])
              .map((value) => unit === '%' ? value?.toFixed(2) : number(value))
              .join('  ')
        ];
      }))));
}

function findingsOfRuns(runs, parent) {
  const ill = runs.filter(({reason, findings}) => reason || findings?.length > 0);
  if (ill.length === 0) return;
  const made = section(
      parent, 'findings', 'What went wrong',
      `${count(ill.length, 'run')} of ${runs.length} had trouble.`);
  made.classList.add('warning');
  for (const run of ill) {
    made.append(element('h3', {}, run.name));
    addReasonAndFindings(run, made);
  }
}

function differencesSection(differences, runs, parent) {
  if (!differences?.keys?.length) return;
  const made = section(
      parent, 'differences', 'Settings that differ',
      'All other settings are the same in every run.');
  const {keys, rows} = differences;
  // A few runs stand side by side, many below each other.
  made.append(
      runs.length <= 6 ?
          table(
              'Settings that differ', [{text: 'Setting'}, ...runs.map(({name}) => ({text: name}))],
              keys.map(
                  (key, k) => [element('code', {}, key), ...rows.map((row) => setting(row[k]))])) :
          table(
              'Settings that differ', [{text: 'Run'}, ...keys.map((text) => ({text}))],
              rows.map((row, i) => [runs[i].name, ...row.map(setting)])));
}

function commandsOfRuns(runs, parent) {
  const made = section(
      parent, 'commands', 'Do it again', 'The same commands give the same bits, on every machine.');
  for (const run of runs) {
    for (const {purpose, command} of (run.commands || []).slice(0, 1)) {
      made.append(element('h3', {}, run.name), copyable(`${purpose}: ${run.name}`, command));
    }
  }
}
