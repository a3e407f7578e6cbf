// node check.mjs CASES: imports each module and compares it with what the program computed. Prints
// a line for each, and ends with 1 if a module is not right.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {pathToFileURL} from 'node:url';

const TOLERANCE = 1e-4;

/** The largest difference; it must be within the tolerance. */
function compare(what, got, expected) {
  assert.equal(got.length, expected.length, `${what}: the number of outputs`);
  let worst = 0;
  expected.forEach((v, i) => worst = Math.max(worst, Math.abs(got[i] - v)));
  assert.ok(worst <= TOLERANCE, `${what}: ${worst} off`);
  return worst;
}

/**
 * The equations of https://pytorch.org/docs/stable/nn.html#recurrent-layers, from gates to states.
 */
function checkGates(model, {size, h, c, gates}) {
  const before = (states, at) => at < size ? 0 : states[at - size];
  if (model === 'Lstm')
    h.forEach((v, at) => {
      const {i, f, g, o} = gates;
      compare(
          'gates of an LSTM', [c[at], v],
          [f[at] * before(c, at) + i[at] * g[at], o[at] * Math.tanh(c[at])]);
    });
  if (model === 'Gru')
    h.forEach((v, at) => {
      const {z, n} = gates;
      compare('gates of a GRU', [v], [(1 - z[at]) * n[at] + z[at] * before(h, at)]);
    });
}

/** Models of numbers or tokens: expected.x has two inputs. */
function checkNumbers(module, expected) {
  const {network, step, process, reset, Network} = module, {x, steps} = expected;
  assert.ok(network instanceof Network);
  assert.equal(network.inputs, expected.inputs);
  assert.equal(network.outputs, expected.outputs);
  assert.equal(network.streams, 'stream' in expected);
  const one = x.slice(0, x.length / 2), size = expected.whole.length / 2;
  const refused = (f, text) => assert.throws(f, (error) => error.message.includes(text));

  if (!network.streams) {
    // Both inputs in one call, and each for itself: with no state between them.
    const worst = compare('process', process(x, 2), expected.whole);
    assert.deepEqual(process(one), process(x, 2).slice(0, size));
    assert.deepEqual(process(one), process(one));
    refused(() => step(one), '[network] this model');
    refused(() => process(x, 1.5), '1.5');
    refused(() => process(x.slice(1), 2), `${x.length - 1} inputs given, expected`);
    if (expected.steps > 1) {
      assert.equal(network.trace(one).outputs.length, 0);
      refused(() => process([]), '0 inputs given');
    }
    return worst;
  }

  let worst = compare('process', process(one), expected.stream);
  reset();
  const each = [];
  for (let t = 0; t < steps; ++t)
    each.push(...step(one.slice(t * network.inputs, (t + 1) * network.inputs)));
  assert.deepEqual(Float32Array.from(each), (reset(), process(one)));
  // The state goes on from block to block.
  reset();
  const cut = 4 * network.inputs;
  const blocks = [...process(one.slice(0, cut)), ...process(one.slice(cut))];
  assert.deepEqual(blocks, each);
  // A trace starts anew.
  const after = network.trace(one);
  assert.deepEqual(after.outputs.map((v) => [...v]).flat(), each);
  assert.equal(after.layers.length, (expected.h || []).length);
  after.layers.forEach((layer, l) => {
    assert.ok(layer.steps <= steps);  // a convolution before it may have a stride
    assert.equal(layer.h.length, layer.steps * layer.size);
    compare('h', layer.h.slice(-layer.size), expected.h[l]);
    if (expected.c[l].length > 0) compare('c', layer.c.slice(-expected.c[l].length), expected.c[l]);
    checkGates(expected.name, layer);
  });
  // Model::run: the second input from the initial state.
  for (let n = 0; n < 2; ++n) {
    reset();
    const all = process(x.slice(n * one.length, (n + 1) * one.length));
    worst = Math.max(
        worst, compare('run', all.slice(-size), expected.whole.slice(n * size, (n + 1) * size)));
  }
  refused(
      () => step(one.slice(0, network.inputs).concat(0)),
      `[network] ${network.inputs + 1} inputs given, expected ${network.inputs}`);
  refused(() => step([]), '0 inputs given');
  if (network.inputs > 1) refused(() => process(one.slice(1)), 'expected a multiple of');
  refused(() => process(one, 1), `expected ${network.inputs}`);
  if (network.input.kind === 'tokens')
    for (const wrong of [-1, 0.5, network.input.tokens, NaN])
      refused(() => step([wrong]), 'expected a token: a whole number from 0 to');
  // A trace, and a step that was refused, change nothing.
  reset();
  step(one.slice(0, network.inputs));
  assert.throws(() => step([]));
  network.trace(one);
  assert.deepEqual(
      [...step(one.slice(network.inputs, 2 * network.inputs))],
      each.slice(network.outputs, 2 * network.outputs));
  return worst;
}

/** Models of images. */
function checkImages({network, process, reset}, expected) {
  let worst = 0;
  expected.pixels.forEach((pixels, n) => {
    reset();
    const outputs = process(network.fromPixels(pixels)).slice(-network.outputs);
    worst = Math.max(
        worst, compare('probabilities', network.probabilities(outputs), expected.probabilities[n]));
  });
  assert.throws(() => network.fromPixels([1, 2, 3]), /3 pixels given, expected 28 x 28/);
  return worst;
}

const cases = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const expected of cases) {
  const module = await import(pathToFileURL(expected.module));
  try {
    const worst = (expected.pixels ? checkImages : checkNumbers)(module, expected);
    console.log(`${expected.name}: the worst output is ${worst.toExponential(1)} off`);
  } catch (error) {
    console.log(`${expected.name}: ${error.stack}`);
    process.exitCode = 1;
  }
}
console.log(`${cases.length} modules: ${process.exitCode ? 'not' : 'all'} right`);
