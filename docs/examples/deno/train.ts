// deno task train [out]: trains on heddle's built-in corpus and saves the model.
import { train } from 'heddle';
import { intlCorpus } from 'heddle/data';

const [out = 'model', steps = '400'] = Deno.args;
const model = await train(intlCorpus({ pairs: 5000 }), {
  preset: 'tiny',
  steps: Number(steps),
  onStep: ({ step, loss }) => step % 20 === 0 && console.log(`step ${step}, loss ${loss.toFixed(3)}`),
});
await model.save(out);
console.log(`saved ${out} after ${model.training?.steps} steps`);
model.dispose();
