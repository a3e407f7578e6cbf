'use strict';
// The samples that a run kept: inputs, answers and outputs, and small pictures of them.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** The numbers of little-endian bytes of a type of safetensors. */
function numbersOf(base64, type) {
  const bytes = bytesOf(base64);
  if (type === 'u8') return bytes;
  const view = new DataView(bytes.buffer);
  if (type === 'i64') {
    return Float64Array.from(
        {length: bytes.length / 8}, (_, i) => Number(view.getBigInt64(8 * i, true)));
  }
  return Float32Array.from({length: bytes.length / 4}, (_, i) => view.getFloat32(4 * i, true));
}

/** The samples of a run, with what the network makes of them. */
class Samples {
  constructor(run, network) {
    const {count, inputs, outputs, type, output_shape: shape} = run.samples;
    this.run = run;
    this.network = network;
    this.count = count;
    this.data = run.samples;
    this.inputs = numbersOf(inputs, type);
    this.outputs = numbersOf(outputs, 'f32');
    this.inputSize = this.inputs.length / Math.max(count, 1);
    this.outputSize = shape.reduce((a, b) => a * b, 1);
    this.classes = shape[shape.length - 1];
    this.isImage = type === 'u8';
    this.task = run.task;
  }

  /** What the file has for sample i: pixels, numbers (T, I) or tokens (T). */
  input(i) {
    const all = this.inputs.subarray(i * this.inputSize, (i + 1) * this.inputSize);
    const {lengths} = this.data;
    return lengths && lengths.length > 0 ? all.subarray(0, lengths[i] * this.features()) : all;
  }

  /** Numbers a step of a sequence; the width of an image. */
  features() {
    const {shape} = this.data;
    return shape.length > 1 ? shape[1] : 1;
  }

  output(i) {
    return this.outputs.subarray(i * this.outputSize, (i + 1) * this.outputSize);
  }

  target(i) {
    return this.data.targets[i];
  }

  prediction(i) {
    return argmax(this.output(i));
  }

  /** The name of a class. */
  name(c) {
    const names = this.run.classes || [];
    return names[c] === undefined ? String(c) : names[c];
  }

  /** Every state and output of the network while it reads sample i, or null without a network. */
  trace(i) {
    if (!this.network) return this.recorded(i);
    const input = this.input(i);
    return this.network.trace(
        this.isImage ? this.network.fromPixels(input) : Float32Array.from(input));
  }

  /** Whether the network has hidden states, which the page can show. */
  remembers() {
    this.remembers_ ??= this.looks() > 0 && this.trace(0).layers.length > 0;
    return this.remembers_;
  }

  /**
   * What the run kept of the hidden states while the network read sample i, or null. It kept those
   * of the first samples, so that a network too large for the page can be looked into as well.
   */
  recorded(i) {
    if (!(i < this.looks())) return null;
    this.states_ ??= Object.entries(this.data.states).map(([name, {shape, data}]) => {
      const values = numbersOf(data, 'f32'), each = shape[1] * shape[2];
      const of = (i) => values.subarray(i * each, (i + 1) * each);
      return {name, steps: shape[1], size: shape[2], of};
    });
    return {layers: this.states_.map(({of, ...layer}) => ({...layer, h: of(i)})), outputs: []};
  }

  /** How many of the samples, the first ones, can be looked into. */
  looks() {
    if (this.network) return this.count;
    const kept = Object.values(this.data.states || {});
    return kept.length > 0 ? kept[0].shape[0] : 0;
  }

  /** Whether it has outputs after every step. */
  answersOnTheWay() {
    return Boolean(this.network?.streams);
  }

  /** "is 4, read as 9 (93.1 %)". */
  verdict(i) {
    const target = this.target(i);
    if (this.task === 'classes') {
      const read = this.prediction(i), sure = this.sureness(i, read);
      return `${target === read ? '' : `is ${this.name(target)}, `}read as ${this.name(read)}${
          sure === null ? '' : ` (${percent(sure)})`}`;
    }
    if (this.task === 'values') {
      const out = this.output(i), wanted = [].concat(target);
      return `is ${wanted.map(number).join(', ')}, predicted ${
          Array.from(out, (x) => number(x)).join(', ')}`;
    }
    const answers =
        [].concat(target).map((wanted, t) => ({wanted, t})).filter(({wanted}) => wanted >= 0);
    const wrong = answers.filter(({wanted, t}) => this.stepPrediction(i, t) !== wanted).length;
    return `${wrong} of ${count(answers.length, 'answer')} wrong`;
  }

  stepPrediction(i, t) {
    return argmax(this.output(i).subarray(t * this.classes, (t + 1) * this.classes));
  }

  /** The probability of a class, or null if the outputs are no logits. */
  sureness(i, c) {
    const probabilities = this.probabilities(this.output(i));
    return probabilities && probabilities[c];
  }

  probabilities(outputs) {
    const logits = this.network ? this.network.output === 'logits' : this.task !== 'values';
    return logits ? softmax(outputs) : null;
  }

  /** The position in the data set and the verdict. */
  title(i) {
    return `Sample ${this.data.indices[i]}: ${this.verdict(i)}`;
  }
}

/** A link to the hidden states of a sample; a text if there are none. */
function sampleLink(samples, i, text) {
  if (!samples.remembers() || i >= samples.looks()) return element('span', {}, text);
  return element(
      'button', {
        type: 'button',
        class: 'link',
        'aria-label': `Sample ${samples.data.indices[i]}: look inside`,
        onclick: () => lookInside(i)
      },
      text);
}

function softmax(logits) {
  const [, largest] = range(logits), powers = Array.from(logits, (x) => Math.exp(x - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

/** The input of a sample as a picture: an image, lines of a few features, or a heat map of many. */
function samplePicture(samples, i) {
  const input = samples.input(i), features = samples.features();
  const label = `Input of sample ${samples.data.indices[i]}`;
  if (samples.isImage) {
    return heatMap({
      rows: input.length / features,
      columns: features,
      label,
      low: 0,
      high: 255,
      at: (r, c) => input[r * features + c]
    });
  }
  if (samples.data.type === 'i64') return tokenText(samples, input);
  const steps = input.length / features;
  if (features > 3) {
    return heatMap({rows: features, columns: steps, label, at: (f, t) => input[t * features + f]});
  }
  return linePicture(
      label,
      Array.from(
          {length: features},
          (_, f) => Array.from({length: steps}, (_, t) => input[t * features + f])));
}

/** The tokens of a sequence as text: of the vocabulary, or their numbers. */
function tokenText(samples, tokens) {
  const vocabulary = samples.network?.input.vocabulary || [];
  const shown = Array.from(tokens.subarray(0, 200), (t) => vocabulary[t] ?? String(t));
  return element('p', {class: 'tokens'}, shown.join(' ') + (tokens.length > 200 ? ' …' : ''));
}
