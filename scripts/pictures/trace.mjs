// node trace.mjs NETWORK.mjs < PIXELS.json: runs the module of `unroll export --format js` on an
// image. Prints states, gates and the probabilities after every step.
import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const {network} = await import(pathToFileURL(resolve(process.argv[2])));
const pixels = JSON.parse(readFileSync(0, 'utf8'));
const {layers, outputs} = network.trace(network.fromPixels(pixels));
const rows = (flat, size) => Array.from(
    {length: flat.length / size}, (_, t) => Array.from(flat.slice(t * size, (t + 1) * size)));
console.log(JSON.stringify({
  layers: layers.map(
      (layer) => ({
        name: layer.name,
        h: rows(layer.h, layer.size),
        c: layer.c && rows(layer.c, layer.c.length / layer.steps),
        gates: layer.gates &&
            Object.fromEntries(
                Object.entries(layer.gates)
                    .map(([gate, flat]) => [gate, rows(flat, flat.length / layer.steps)])),
      })),
  probabilities: outputs.map((logits) => Array.from(network.probabilities(logits))),
}));
