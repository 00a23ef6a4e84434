// npm run train -- [pairs.tsv] [out]: trains on the pairs of a file, or on heddle's built-in corpus, and saves the model.
// STEPS sets the number of steps. Ctrl-C ends the training after the current step.
import { readFileSync } from 'node:fs';
import { train } from 'heddle';
import { intlCorpus, readTsv } from 'heddle/data';

const [file, out = 'model'] = process.argv.slice(2);
const pairs = file ? readTsv(readFileSync(file), file).pairs : intlCorpus({ pairs: 5000 });
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const model = await train(pairs, {
  preset: 'tiny',
  steps: Number(process.env.STEPS ?? 400),
  signal: stop.signal,
  onStep: ({ step, loss }) => step % 20 === 0 && console.log(`step ${step}, loss ${loss.toFixed(3)}`),
});
await model.save(out);
console.log(`saved ${out} after ${model.training.steps} steps`);
model.dispose();
