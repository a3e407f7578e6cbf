'use strict';
// The curves of training: loss, metrics, learning rate, norm of the gradient. One run or several.

/** Points of a chart, from two lists of the same length. */
function points(steps, values) {
  return steps.map((x, i) => ({x, y: values[i]}));
}

/** The evaluations of a model; a run that diverged also has one of the step that failed. */
function modelEvaluations(run) {
  return (run.evaluations || []).filter(({diverged}) => !diverged);
}

/** The part of the data that a run looked at while training: test, validation or training. */
function watchedPart(run) {
  return modelEvaluations(run).find(({part}) => part)?.part || 'test';
}

/** The evaluations on that part. With another one, the test after the last step is no point. */
function testsOf(run) {
  const watched = watchedPart(run);
  return modelEvaluations(run).filter(({part}) => (part || 'test') === watched);
}

/** The keys of all metrics in evaluations, with the name that the result gives them. */
function metricNames(run) {
  const names = new Map();
  for (const {metrics} of run.evaluations || []) {
    for (const key of Object.keys(metrics || {})) names.set(key, {name: key, unit: ''});
  }
  for (const {key, name, unit} of run.result?.metrics || [])
    names.set(key, {name, unit: unit || ''});
  return names;
}

function lossLines(run) {
  const {step, loss} = run.curves;
  return [
    {
      name: `${watchedPart(run)} loss`,
      points: testsOf(run).map(({step, loss}) => ({x: step, y: loss})),
      colour: () => colour('accent'),
      dots: true
    },
    {name: 'training loss', points: points(step, loss), colour: () => colour('faded'), width: 1.5},
  ].filter(({points}) => points.length > 0);
}

/** What each chart shows of one run: [{title, unit, lines}]. */
function chartsOfRun(run) {
  const {step, lr, grad_norm: norm} = run.curves;
  const one = (title, values, name = 'accent') => ({
    title,
    unit: '',
    lines: [{
      name: title.toLowerCase(),
      points: points(step, values),
      colour: () => colour(name),
      width: 1.5
    }]
  });
  const charts = [{title: 'Loss', unit: '', lines: lossLines(run)}];
  for (const [key, {name, unit}] of metricNames(run)) {
    charts.push({
      title: capital(name) + (unit ? ` in ${unit}` : ''),
      unit: unit && ` ${unit}`,
      lines: [{
        name: `${watchedPart(run)} ${name}`,
        colour: () => colour('accent'),
        dots: true,
        points: testsOf(run).map(({step, metrics}) => ({x: step, y: metrics?.[key]}))
      }],
    });
  }
  if (lr) charts.push({...one('Learning rate', lr), logarithmic: false, fromZero: true});
  if (norm) charts.push(one('Gradient norm', norm));
  return charts;
}

/**
 * What each chart shows of several runs: the charts of one run, with a line for each run. Losses of
 * different kinds can't be compared, so that each kind has a chart.
 */
function chartsOfRuns(runs) {
  const charts = new Map();
  const kinds = new Set(runs.map(({result}) => result?.loss_name).filter(Boolean));
  const titleOf = ({title}, run) => {
    if (title !== 'Loss') return title;
    const kind = kinds.size > 1 && run.result?.loss_name;
    const loss = `${capital(watchedPart(run))} loss`;
    return kind ? `${loss}: ${kind}` : loss;
  };
  runs.forEach((run, i) => {
    if (!run.curves) return;
    for (const {lines, ...chart} of chartsOfRun(run)) {
      const title = titleOf(chart, run);
      if (!charts.has(title)) charts.set(title, {...chart, title, lines: []});
      // The training loss of several runs hides the test's.
      const line = lines[0];
      if (!line) continue;
      charts.get(title).lines.push({
        ...line,
        name: run.name,
        colour: () => runColour(i),
        dash: runDash(i),
        width: 1.5,
      });
    }
  });
  const isLoss = ({title}) => /^(Test|Validation|Training) loss/.test(title);
  const all = [...charts.values()];
  return [...all.filter(isLoss), ...all.filter((chart) => !isLoss(chart))];
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The section of curves, of one run or several. */
function curvesSection(runs, parent) {
  const several = runs.length > 1;
  const charts = several ? chartsOfRuns(runs) : runs[0].curves ? chartsOfRun(runs[0]) : [];
  const made = section(
      parent, 'curves', 'Learning curves',
      'A step is one update of the weights. Drag across a chart to zoom, ' +
          'double-click to see all steps.');
  const shown =
      charts
          .map(({lines, ...chart}) => ({
                 ...chart,
                 lines: lines.filter(({points}) => points.some(({y}) => Number.isFinite(y)))
               }))
          .filter(({lines}) => lines.length > 0);
  if (shown.length === 0) {
    made.append(element('p', {class: 'absent'}, 'This run has recorded no step yet.'));
    return;
  }
  const [, last] =
      range(shown.flatMap(({lines}) => lines.flatMap(({points}) => points.map(({x}) => x))));
  const zoom = new Zoom(0, Math.max(1, last));
  const grid = element('div', {class: 'charts'});
  made.append(zoom.buttons(), grid);
  for (const chart of shown) {
    const made = lineChart({...chart, xTitle: 'step'});
    grid.append(made.element);
    zoom.add(made);
  }
  for (const text of curveNotes(runs)) made.append(element('p', {class: 'note'}, text));
}

/**
 * What a reader of the curves should know: points that stand for several steps, the step that
 * failed.
 */
function curveNotes(runs) {
  const steps = runs.map((run) => run.curves?.steps_per_point || 1);
  const most = Math.max(...steps), least = Math.min(...steps);
  const notes = [];
  if (most > 1) {
    const each = least < most ? `up to ${count(most, 'step')}` : count(most, 'step');
    notes.push(
        `A point of the curves stands for ${each}: the mean of ${
            runs.length > 1 ? 'the' :
                              'the training loss and the'} learning rate, and the largest ` +
        'gradient norm.');
  }
  for (const run of runs) {
    const failed = (run.evaluations || []).find(({diverged}) => diverged);
    if (!failed) continue;
    const norm = run.curves?.grad_norm?.at(-1);
    notes.push(`${runs.length > 1 ? `${run.name}: ` : ''}Training diverged at step ${
        number(
            failed.step)}: training loss ${number(failed.loss)}, gradient norm ${number(norm)}.`);
  }
  return notes;
}
