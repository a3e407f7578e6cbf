'use strict';
// Parameters, configuration, commands: what it takes to make the same run again.

function parametersSection(run, parent) {
  if (!run.parameters) return;
  const made = section(
      parent, 'parameters', 'Parameters',
      `All ${number(run.parameter_count)} numbers that training can change.`);
  if (run.layers?.length > 0) {
    made.append(
        element('ul', {class: 'layers'}, ...run.layers.map((text) => element('li', {}, text))));
  }
  made.append(table(
      'Parameters',
      [
        {text: 'Name'}, {text: 'Shape'}, {text: 'Numbers', number: true}, {text: 'Role'},
        {text: 'Norm', number: true}
      ],
      run.parameters.map(
          (parameter) =>
              [element('code', {}, parameter.name),
               parameter.shape.join(' × '),
               number(parameter.count),
               parameter.role || '',
               number(parameter.norm),
  ])));
}

function configurationSection(run, parent) {
  const made = section(
      parent, 'configuration', 'Configuration',
      'Every setting of the run, as its config.json has it.');
  made.append(copyable('Configuration', run.config_text || JSON.stringify(run.config, null, 2)));
}

function commandsSection(run, parent) {
  const made = section(
      parent, 'commands', 'Do it again', 'The same commands give the same bits, on every machine.');
  for (const {purpose, command} of run.commands || []) {
    made.append(element('h3', {}, capital(purpose)), copyable(capital(purpose), command));
  }
  if (run.weights_sha256) {
    made.append(
        element('h3', {}, 'SHA-256 of the weights'),
        copyable('SHA-256 of the weights', run.weights_sha256));
  }
}
