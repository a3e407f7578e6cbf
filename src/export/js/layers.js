// The arithmetic of a model's layers, for network.js. Weights are f32, and all sums are double.
//
// Letters: T steps, I inputs of a step, H hidden units, G gates, S size of h, D directions.
const NetworkLayers = (() => {
  'use strict';

  const NORM_EPSILON = 1e-5;  // in cells with layer normalisation

  function fail(text) {
    throw new Error(`[network] ${text}`);
  }

  /** An array of f(0), f(1), ... */
  function numbers(size, f) {
    const all = new Float64Array(size);
    for (let j = 0; j < size; ++j) all[j] = f(j);
    return all;
  }

  const functions = {
    relu: (x) => x < 0 ? 0 : x,  // NaN stays
    tanh: Math.tanh,
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    symlog: (x) => Math.sign(x) * Math.log1p(Math.abs(x)),
  };

  /** W x + bias, with W (outputs, inputs) row by row. The bias may be missing. */
  function product(weight, x, bias) {
    const inputs = x.length, y = new Float64Array(weight.length / inputs);
    for (let j = 0, k = 0; j < y.length; ++j) {
      let sum = bias ? bias[j] : 0;
      for (let i = 0; i < inputs; ++i, ++k) sum += weight[k] * x[i];
      y[j] = sum;
    }
    return y;
  }

  /** (x - mean) / sqrt(variance + epsilon) weight + bias; weight and bias may be missing. */
  function normalise(x, epsilon, weight, bias) {
    let mean = 0, variance = 0;
    for (const v of x) mean += v / x.length;
    for (const v of x) variance += (v - mean) * (v - mean) / x.length;
    const factor = 1 / Math.sqrt(variance + epsilon);
    return x.map((v, j) => (v - mean) * factor * (weight ? weight[j] : 1) + (bias ? bias[j] : 0));
  }

  // Cells: from the sums of the input and of the state, (G H) each, to the next h, c and gates.
  // Equations and order of gates: https://pytorch.org/docs/stable/nn.html#recurrent-layers
  const cells = {
    rnn(layer, ofInput, ofState) {
      return {h: ofInput.map((x, j) => layer.nonlinearity(x + ofState[j]))};
    },

    lstm(layer, ofInput, ofState, before) {
      const size = layer.hidden;
      const gate = (k, f) => numbers(size, (j) => f(ofInput[k * size + j] + ofState[k * size + j]));
      const [i, f, g, o] = [functions.sigmoid, functions.sigmoid, Math.tanh, functions.sigmoid].map(
          (f, k) => gate(k, f));
      const c = numbers(size, (j) => f[j] * before.c[j] + i[j] * g[j]);
      const shown = layer.norm ? normalise(c, NORM_EPSILON, layer.norm.c, layer.norm.cBias) : c;
      return {h: o.map((v, j) => v * Math.tanh(shown[j])), c, gates: {i, f, g, o}};
    },

    gru(layer, ofInput, ofState, before) {
      const size = layer.hidden;
      const gate = (k) =>
          numbers(size, (j) => functions.sigmoid(ofInput[k * size + j] + ofState[k * size + j]));
      const r = gate(0), z = gate(1);
      const n =
          numbers(size, (j) => Math.tanh(ofInput[2 * size + j] + r[j] * ofState[2 * size + j]));
      return {h: n.map((v, j) => v + z[j] * (before.h[j] - v)), gates: {r, z, n}};
    },
  };

  /** Zoneout, as it acts in a trained model: the expected state (Krueger 2017). */
  function zoned(rate, before, now) {
    return rate > 0 ? now.map((v, j) => rate * before[j] + (1 - rate) * v) : now;
  }

  // Stages. run(xs, state, inputs, log) takes the steps xs, a list of arrays, and returns the
  // stage's outputs. A vector or an image is a list of one. `inputs` has the xs of every stage
  // before this one.

  /** A stage that treats every step alike. */
  class Rows {
    constructor(shape, f) {
      this.shape = shape;  // of the output
      this.f = f;
    }
    run(xs) {
      return xs.map(this.f);
    }
  }

  /** Adds the input of an earlier stage. */
  class Residual {
    constructor(shape, from) {
      this.shape = shape;
      this.from = from;
    }
    run(xs, state, inputs) {
      return xs.map((x, t) => x.map((v, j) => v + inputs[this.from][t][j]));
    }
  }

  /** A convolution over steps. It may give another number of steps than it takes. */
  class StepConvolution {
    constructor(spec, shape, weight, bias) {
      this.shape = vector(spec.out_channels, true);
      this.spec = spec;
      this.weight = weight;  // (outputs, inputs / groups, kernel)
      this.bias = bias;
      this.inputs = shape.width;
      this.span = spec.dilation * (spec.kernel - 1) + 1;
      this.before = spec.causal ? this.span - 1 : spec.padding;
      this.after = spec.causal ? 0 : spec.padding;
    }

    /** The last steps, the zeros before the first one among them, and how many there were. */
    first() {
      return {window: [], seen: 0};
    }

    run(xs, state) {
      const outputs = [];
      const take = (x) => {
        state.window.push(x);
        if (state.window.length > this.span) state.window.shift();
        const since = ++state.seen - this.span;
        if (since >= 0 && since % this.spec.stride === 0) outputs.push(this.output_(state.window));
      };
      const zeros = (count) => {
        for (let t = 0; t < count; ++t) take(new Float64Array(this.inputs));
      };
      if (state.seen === 0) zeros(this.before);
      xs.forEach(take);
      zeros(this.after);  // such a model takes all steps at once
      return outputs;
    }

    output_(window) {
      const {kernel, dilation, groups, out_channels: outputs} = this.spec;
      const own = this.inputs / groups;
      return numbers(outputs, (o) => {
        const from = Math.floor(o * groups / outputs) * own;
        let sum = this.bias ? this.bias[o] : 0;
        for (let k = 0; k < kernel; ++k)
          for (let c = 0; c < own; ++c)
            sum += this.weight[(o * own + c) * kernel + k] * window[k * dilation][from + c];
        return sum;
      });
    }
  }

  /** Stacked recurrent layers; the readout stands in Network. */
  class Recurrent {
    constructor(spec, weightOf) {
      this.spec = spec;
      this.directions = spec.bidirectional ? 2 : 1;
      this.size = spec.proj_size || spec.hidden_size;
      this.layers = [];
      for (let l = 0; l < spec.num_layers; ++l)
        for (let d = 0; d < this.directions; ++d) this.layers.push(this.layer_(l, d, weightOf));
    }

    layer_(l, d, weightOf) {
      const spec = this.spec;
      const of = (stem, end = '') =>
          weightOf(`${spec.name}.${stem}_l${l}${d ? '_reverse' : ''}${end}`);
      const layer = {
        layer: l,
        direction: d,
        hidden: spec.hidden_size,
        nonlinearity: functions[spec.nonlinearity],
        input: of('weight_ih'),
        state: of('weight_hh'),
        inputBias: spec.bias ? of('bias_ih') : null,
        stateBias: spec.bias ? of('bias_hh') : null,
        projection: spec.proj_size ? of('weight_hr') : null,
      };
      if (spec.layer_norm) {
        layer.norm = {
          input: of('layer_norm_ih', '.weight'),
          inputBias: of('layer_norm_ih', '.bias'),
          state: of('layer_norm_hh', '.weight'),
          stateBias: of('layer_norm_hh', '.bias'),
        };
        if (spec.type === 'lstm') {
          layer.norm.c = of('layer_norm_c', '.weight');
          layer.norm.cBias = of('layer_norm_c', '.bias');
        }
      }
      const first = (name, size) => {
        if (!spec.learn_initial_state) return new Float64Array(size);
        const at = (l * this.directions + d) * size;
        return Float64Array.from(weightOf(`${spec.name}.${name}`).subarray(at, at + size));
      };
      layer.first = {h: first('h_0', this.size)};
      if (spec.type === 'lstm') layer.first.c = first('c_0', spec.hidden_size);
      return layer;
    }

    /** The state of each layer and direction before the first step. */
    first() {
      return this.layers.map((layer) => layer.first);
    }

    /** One step of one layer in one direction. */
    step_(layer, x, before) {
      const {norm} = layer;
      const sums = (weight, v, bias, scale, offset) => {
        if (!norm) return product(weight, v, bias);
        const normed = normalise(product(weight, v), NORM_EPSILON, scale, offset);
        return bias ? normed.map((s, j) => s + bias[j]) : normed;
      };
      const next = cells[this.spec.type](
          layer, sums(layer.input, x, layer.inputBias, norm && norm.input, norm && norm.inputBias),
          sums(layer.state, before.h, layer.stateBias, norm && norm.state, norm && norm.stateBias),
          before);
      if (layer.projection) next.h = product(layer.projection, next.h);
      next.h = zoned(this.spec.zoneout_h, before.h, next.h);
      if (next.c) next.c = zoned(this.spec.zoneout_c, before.c, next.c);
      return next;
    }

    /** The h of the last layer at each step, directions side by side. Moves `states` on. */
    run(xs, states, inputs, log) {
      for (let l = 0; l < this.spec.num_layers; ++l) {
        const ys = xs.map(() => new Float64Array(this.directions * this.size));
        for (let d = 0; d < this.directions; ++d) {
          const at = l * this.directions + d, seen = new Array(xs.length);
          for (let s = 0; s < xs.length; ++s) {
            const t = d ? xs.length - 1 - s : s;
            seen[t] = states[at] = this.step_(this.layers[at], xs[t], states[at]);
            ys[t].set(states[at].h, d * this.size);
          }
          if (log) log[at].push(...seen);
        }
        xs = ys;
      }
      return xs;
    }

    /** The last h of the last layer, directions side by side. */
    last(states) {
      const last = new Float64Array(this.directions * this.size);
      states.slice(-this.directions).forEach((state, d) => last.set(state.h, d * this.size));
      return last;
    }
  }

  function convolution(spec, shape, weight, bias) {
    const [kernelHeight, kernelWidth] = spec.kernel, [down, right] = spec.stride;
    const [top, left] = spec.padding;
    const out = windows(spec, shape, spec.out_channels);
    return new Rows(out, (x) => {
      const y = new Float64Array(sizeOf(out));
      for (let o = 0, at = 0; o < out.channels; ++o)
        for (let row = 0; row < out.height; ++row)
          for (let column = 0; column < out.width; ++column, ++at) {
            let sum = bias ? bias[o] : 0;
            for (let c = 0; c < shape.channels; ++c)
              for (let i = 0; i < kernelHeight; ++i) {
                const h = row * down + i - top;
                if (h < 0 || h >= shape.height) continue;
                const w = ((o * shape.channels + c) * kernelHeight + i) * kernelWidth;
                for (let j = 0; j < kernelWidth; ++j) {
                  const v = column * right + j - left;
                  if (v < 0 || v >= shape.width) continue;
                  sum += weight[w + j] * x[(c * shape.height + h) * shape.width + v];
                }
              }
            y[at] = sum;
          }
      return y;
    });
  }

  function pool(spec, shape) {
    const [down, right] = spec.stride, [top, left] = spec.padding;
    const out = windows(spec, shape, shape.channels);
    return new Rows(out, (x) => numbers(sizeOf(out), (at) => {
                           const column = at % out.width,
                                 row = Math.floor(at / out.width) % out.height;
                           const c = Math.floor(at / (out.width * out.height));
                           let largest = -Infinity;
                           for (let i = 0; i < spec.kernel[0]; ++i)
                             for (let j = 0; j < spec.kernel[1]; ++j) {
                               const h = row * down + i - top, w = column * right + j - left;
                               if (h < 0 || h >= shape.height || w < 0 || w >= shape.width)
                                 continue;
                               const v = x[(c * shape.height + h) * shape.width + w];
                               if (v > largest || v !== v) largest = v;
                             }
                           return largest;
                         }));
  }

  /** The shape of the outputs of a convolution or a pooling. */
  function windows(spec, shape, channels) {
    const count = (size, k) =>
        Math.floor((size + 2 * spec.padding[k] - spec.kernel[k]) / spec.stride[k]) + 1;
    return {
      sequence: false,
      channels,
      height: count(shape.height, 0),
      width: count(shape.width, 1)
    };
  }

  function vector(width, sequence) {
    return {sequence, channels: 1, height: 1, width};
  }

  function sizeOf(shape) {
    return shape.channels * shape.height * shape.width;
  }

  /** Makes the stage of a layer; `shape` is what it reads, `at` its index. */
  function stageOf(layer, shape, at, weightOf) {
    const same = (width) => vector(width, shape.sequence);
    const weight = (name) => weightOf(`${layer.name}.${name}`);
    if (layer.type in cells) return new Recurrent(layer, weightOf);
    switch (layer.type) {
      case 'linear': {
        const matrix = weight('weight'), bias = layer.bias ? weight('bias') : null;
        return new Rows(same(layer.out_features), (x) => product(matrix, x, bias));
      }
      case 'activation': {
        const f = functions[layer.function];
        return new Rows(shape, (x) => x.map((v) => f(v)));
      }
      case 'embedding': {
        const rows = weight('weight'), width = layer.embedding_dim;
        return new Rows(
            same(width), (x) => Float64Array.from(rows.subarray(x[0] * width, (x[0] + 1) * width)));
      }
      case 'layer_norm': {
        const scale = layer.elementwise_affine ? weight('weight') : null;
        const bias = layer.elementwise_affine && layer.bias ? weight('bias') : null;
        return new Rows(shape, (x) => normalise(x, layer.eps, scale, bias));
      }
      case 'scale': {
        const each = (values, j) => values[values.length > 1 ? j : 0];
        return new Rows(
            shape, (x) => x.map((v, j) => (v - each(layer.mean, j)) / each(layer.std, j)));
      }
      case 'residual':
        return new Residual(shape, at - layer.over);
      case 'conv1d':
        return new StepConvolution(
            layer, shape, weight('weight'), layer.bias ? weight('bias') : null);
      case 'conv2d':
        return convolution(layer, shape, weight('weight'), layer.bias ? weight('bias') : null);
      case 'max_pool2d':
        return pool(layer, shape);
      case 'flatten':
        return new Rows(vector(sizeOf(shape), false), (x) => x);
      default:
        return fail(
            `the layer type '${layer.type}' is not known; export the model with a ` +
            `version of Unroll that fits`);
    }
  }

  return {Recurrent, StepConvolution, fail, sizeOf, stageOf, vector};
})();
