// Trains a model that turns number words around, and translates with it.
import { errorKind, isSupported, train } from 'heddle';

const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const numbers = ['uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho'];
const pairs = words.flatMap((a, i) =>
  words.map((b, j) => ({ source: `${a} ${b}`, target: `${numbers[j]} ${numbers[i]}` })),
);
const steps = 150;
let model;
let stop;

async function start() {
  const { supported, reasons } = await isSupported();
  if (!supported) return postMessage({ status: reasons.join(' ') });
  stop = new AbortController();
  postMessage({ training: true, status: 'Preparing' });
  try {
    model?.dispose();
    model = await train(pairs, {
      preset: 'tiny',
      tokenizer: 'word',
      batchSize: 32,
      heldOut: 0,
      steps,
      signal: stop.signal,
      onStep: ({ step, loss }) =>
        postMessage({ progress: step / steps, status: `step ${step}, loss ${loss.toFixed(3)}` }),
    });
    postMessage({ status: model.training.stopped ? 'Stopped' : 'Trained', ready: true });
  } catch (error) {
    postMessage({ status: errorKind(error) === 'aborted' ? 'Cancelled' : error.message });
  } finally {
    postMessage({ training: false });
  }
}

addEventListener('message', async ({ data: { type, text } }) => {
  if (type === 'train') await start();
  if (type === 'cancel') stop?.abort();
  if (type === 'translate') postMessage({ translation: await model.translate(text) });
});
