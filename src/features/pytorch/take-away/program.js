// The model NAME as a program of heddle: the loss of the pairs in pairs.json, then UPDATES updates on them as one
// batch, each with its loss before the update. program.py does the same in PyTorch.
//
//   npm install && npm start    in Node
//   npm run page                in a page: open the address that it prints

import { loadModel, train } from 'heddle';

const settings = SETTINGS;

/** Reads a file beside this program: from the disk in Node, by a request in a page. */
async function read(name) {
  const url = new URL(name, import.meta.url);
  if (url.protocol !== 'file:') return (await fetch(url)).blob();
  const { readFile } = await import('node:fs/promises');
  return new Blob([await readFile(url)]);
}

function print(text) {
  console.log(text);
  globalThis.document?.body.append(text, document.createElement('br'));
}

const pairs = JSON.parse(await (await read('pairs.json')).text());
const files = FILES.map(async (name) => new File([await read(`model/${name}`)], name));
const model = await loadModel(await Promise.all(files));
const scores = await model.score(pairs);
const tokens = scores.reduce((sum, score) => sum + score.tokens.length, 0);
const logProb = scores.reduce((sum, score) => sum + score.logProb, 0);
print(`loss ${(-logProb / tokens).toFixed(6)} of ${tokens} tokens`);

// One batch of all pairs, without dropout, so that PyTorch computes the same numbers.
const batch = { batchSize: pairs.length, buckets: 1, dropout: 0, heldOut: 0, evalSteps: 0, testSentences: 0 };
const trained = await train(pairs, {
  ...settings,
  ...batch,
  from: model,
  onStep: ({ step, loss }) => print(`update ${step}: loss ${loss.toFixed(6)}`),
});
print(await trained.translate(pairs[0].source));
