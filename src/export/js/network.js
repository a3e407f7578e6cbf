// Runs a model that Unroll trained, in a browser or in Node. Nothing else is needed.
//
//   const network = new Network(DATA);
//   for (const row of rows) outputs = network.step(row);
//
// Weights are f32, and all sums are double. Outputs differ from those of `unroll predict` by
// rounding only. layers.js comes before this text.
const Network = (() => {
  'use strict';

  const {Recurrent, StepConvolution, fail, sizeOf, stageOf, vector} = NetworkLayers;

  /** An image's form, or the kind of another input. */
  function formOf(input) {
    return input.form || input.kind;
  }

  /** The shape of one step, or of a whole input. */
  function shapeOf(input) {
    switch (formOf(input)) {
      case 'rows':
        return vector(input.width, true);
      case 'pixels':
      case 'tokens':
        return vector(1, true);
      case 'series':
        return vector(input.features, true);
      case 'vector':
        return vector(input.features, false);
      case 'flat':
        return vector(input.height * input.width, false);
      case 'image':
        return {sequence: false, channels: 1, height: input.height, width: input.width};
      default:
        return fail(`the input '${formOf(input)}' is not known`);
    }
  }

  function stepsOf(input) {
    switch (formOf(input)) {
      case 'rows':
        return input.height;
      case 'pixels':
        return input.height * input.width;
      case 'series':
      case 'tokens':
        return input.steps;
      default:
        return 1;
    }
  }

  /** Little-endian f32, base64. */
  function decode(name, weight) {
    const bytes = Uint8Array.from(atob(weight.data), (c) => c.charCodeAt(0));
    const count = weight.shape.reduce((a, b) => a * b, 1);
    if (bytes.length !== 4 * count)
      fail(`${name} has ${bytes.length} bytes, its shape needs ${4 * count}`);
    const view = new DataView(bytes.buffer), values = new Float32Array(count);
    for (let i = 0; i < count; ++i) values[i] = view.getFloat32(4 * i, true);
    return values;
  }

  class Network {
    /** Takes the DATA of `unroll export --format js`. */
    constructor(data) {
      const {input, layers, output, classes} = data.description;
      this.input = input;
      this.output = output;    // 'logits', 'scores' or 'values'
      this.classes = classes;  // a name for each output; may be empty
      this.steps = stepsOf(input);
      this.order_ = data.order;  // index of the pixel for each place, if the model permutes them
      let shape = shapeOf(input);
      this.inputs = sizeOf(shape);
      this.sequences_ = shape.sequence;
      const weightOf = (name) => {
        const weight = data.weights[name];
        return weight ? decode(name, weight) : fail(`${name} is missing`);
      };
      const all = input.mean instanceof Array && input.mean.length > 0 ?
          [{type: 'scale', mean: input.mean, std: input.std}, ...layers] :
          layers;
      this.stages_ = [];
      this.split_ = 0;  // the number of stages that read sequences
      let ahead = '';   // why the outputs after a step depend on later steps
      for (const layer of all) {
        if (shape.sequence) ++this.split_;
        const stage = stageOf(layer, shape, this.stages_.length, weightOf);
        this.stages_.push(stage);
        if (stage instanceof Recurrent) {
          if (layer.bidirectional) ahead = 'bidirectional';
          const width = stage.directions * stage.size * (layer.readout === 'mean_last' ? 2 : 1);
          stage.shape = vector(width, layer.readout === 'every_step');
        }
        if (stage instanceof StepConvolution && stage.after > 0 && !ahead)
          ahead = 'padded at the end of a sequence';
        shape = stage.shape;
      }
      this.outputs = sizeOf(shape);
      this.ahead_ = ahead;
      this.streams = this.sequences_ && !ahead;
      this.everyStep_ = shape.sequence;
      this.reset();
    }

    /** Goes back to the initial state. */
    reset() {
      this.state_ = this.first_();
    }

    /** Takes one time step. Returns the outputs after it. */
    step(input) {
      if (!this.sequences_) fail('this model reads whole inputs, not steps; call process()');
      if (!this.streams)
        fail(`this model is ${this.ahead_}: its outputs depend on all steps; call process()`);
      this.check_(input, 1);
      return Float32Array.from(this.run_([Float64Array.from(input)], this.state_)[0]);
    }

    /**
     * A model that streams takes the next steps. Returns the outputs after each.
     * Another model takes `count` whole inputs, one after the other. Returns the outputs of each.
     * By default, a model that does not stream takes all steps as one sequence.
     */
    process(inputs, count) {
      const whole = this.sequences_ && !this.streams;
      const pieces = count === undefined ? (whole ? 1 : inputs.length / this.inputs) : count;
      if (!Number.isInteger(pieces) || pieces < 0)
        fail(
            count === undefined ?
                `${inputs.length} inputs given, expected a multiple of ${this.inputs}` :
                `the count is ${count}, expected a whole number`);
      const steps = whole && pieces > 0 ? inputs.length / pieces / this.inputs : 1;
      if (!Number.isInteger(steps) || (whole && steps < 1))
        fail(
            `${inputs.length} inputs given, expected a multiple of ${pieces * this.inputs}, ` +
            `and not 0`);
      this.check_(inputs, pieces * steps);
      const size = this.outputs * (this.everyStep_ ? steps : 1);
      const out = new Float32Array(pieces * size);
      for (let n = 0; n < pieces; ++n) {
        const xs = this.cut_(inputs, n * steps, steps);
        const ys = this.run_(xs, this.streams ? this.state_ : this.first_());
        ys.forEach((y, t) => out.set(y, n * size + t * this.outputs));
      }
      return out;
    }

    /** The model's input from the pixels of an image, 0 to 255, row by row. */
    fromPixels(pixels) {
      const {input} = this, {form, mean, std, height, width} = input;
      if (!form || input.pixels === false) fail('this model reads numbers, not pixels');
      const row = form === 'rows' ? width : 1;
      if (height > 0 ? pixels.length !== height * width : pixels.length % row !== 0)
        fail(
            `${pixels.length} pixels given, expected ` +
            (height > 0 ? `${height} x ${width}` : `rows of ${row}`));
      const x = Float32Array.from(pixels, (pixel) => (pixel / 255 - mean) / std);
      return this.order_ ? Float32Array.from(this.order_, (at) => x[at]) : x;
    }

    /** Softmax of logits, for each group of as many as there are outputs. */
    probabilities(outputs) {
      if (this.output !== 'logits') fail(`the outputs are ${this.output}, expected logits`);
      const all = new Float32Array(outputs.length);
      for (let first = 0; first < outputs.length; first += this.outputs) {
        const own = Float64Array.from(outputs.slice(first, first + this.outputs));
        const largest = own.reduce((a, b) => Math.max(a, b));
        const powers = own.map((v) => Math.exp(v - largest));
        const sum = powers.reduce((a, b) => a + b);
        all.set(powers.map((v) => v / sum), first);
      }
      return all;
    }

    /**
     * Runs one sequence from its initial state and returns all states of all recurrent layers, and
     * the outputs after each step if the model streams. step() goes on where it was.
     */
    trace(inputs) {
      if (!this.sequences_) return {layers: [], outputs: []};
      if (inputs.length === 0 || inputs.length % this.inputs !== 0)
        fail(`${inputs.length} inputs given, expected a multiple of ${this.inputs}, and not 0`);
      const steps = inputs.length / this.inputs;
      this.check_(inputs, steps);
      const state = this.first_();
      const logs = this.stages_.map((stage) => stage.layers && stage.layers.map(() => []));
      const xs = this.cut_(inputs, 0, steps), outputs = [];
      if (this.streams)
        for (const x of xs) outputs.push(Float32Array.from(this.run_([x], state, logs)[0]));
      else
        this.run_(xs, state, logs);
      const layers = [];
      this.stages_.forEach((stage, i) => {
        if (!stage.layers) return;
        stage.layers.forEach((layer, k) => {
          const log = logs[i][k];
          if (log.length === 0)
            fail('the sequence is too short for the windows of the convolutions');
          const flat = (all) => {
            const size = all[0].length, joined = new Float32Array(all.length * size);
            all.forEach((v, t) => joined.set(v, t * size));
            return joined;
          };
          const entry = {
            name: stage.spec.name,
            layer: layer.layer,
            direction: layer.direction,
            steps: log.length,
            size: stage.size,
            h: flat(log.map((now) => now.h)),
          };
          if (log[0].c) entry.c = flat(log.map((now) => now.c));
          if (log[0].gates) {
            entry.gates = {};
            for (const gate of Object.keys(log[0].gates))
              entry.gates[gate] = flat(log.map((now) => now.gates[gate]));
          }
          layers.push(entry);
        });
      });
      return {layers, outputs};
    }

    first_() {
      return {
        steps: 0,
        gathered: null,  // the sum or the largest of all states, for the readout
        stages: this.stages_.map((stage) => stage.first ? stage.first() : null),
      };
    }

    check_(inputs, steps) {
      if (inputs.length !== steps * this.inputs)
        fail(`${inputs.length} inputs given, expected ${steps * this.inputs}`);
      if (this.input.kind !== 'tokens') return;
      const wrong = Array.from(inputs).findIndex(
          (v) => !(Number.isInteger(v) && v >= 0 && v < this.input.tokens));
      if (wrong >= 0)
        fail(
            `input ${wrong} is ${inputs[wrong]}, expected a token: a whole number from 0 to ` +
            `${this.input.tokens - 1}`);
    }

    cut_(inputs, first, steps) {
      const xs = [];
      for (let t = first; t < first + steps; ++t)
        xs.push(Float64Array.from(inputs.slice(t * this.inputs, (t + 1) * this.inputs)));
      return xs;
    }

    /** Takes the steps xs through all stages. */
    run_(xs, state, logs) {
      const inputs = [];
      const through = (from, to) => {
        for (let i = from; i < to; ++i) {
          inputs.push(xs);
          xs = this.stages_[i].run(xs, state.stages[i], inputs, logs && logs[i]);
        }
      };
      through(0, this.split_);
      if (xs.length === 0 && !this.streams)
        fail('the sequence is too short for the windows of the convolutions');
      if (this.sequences_ && !this.everyStep_)
        xs = [this.readOut_(xs, this.stages_[this.split_ - 1], state)];
      through(this.split_, this.stages_.length);
      return xs;
    }

    /** From the states h of new steps to the readout of all steps so far. */
    readOut_(hs, stage, state) {
      const {readout} = stage.spec, last = stage.last(state.stages[this.split_ - 1]);
      if (readout === 'last') return last;
      if (!state.gathered && hs.length === 0) state.gathered = new Float64Array(last.length);
      for (const h of hs) {
        const past = state.steps > 0 ? state.gathered : null;
        state.gathered = !past ? h :
            readout === 'max'  ? h.map((v, j) => v > past[j] || v !== v ? v : past[j]) :
                                 h.map((v, j) => past[j] + v);
        ++state.steps;
      }
      if (readout === 'max') return state.gathered;
      const mean = state.gathered.map((v) => v / Math.max(state.steps, 1));
      return readout === 'mean' ? mean : Float64Array.from([...mean, ...last]);
    }
  }

  return Network;
})();
