// What copies the letters? A model learns to reverse words; then parts of it are switched off, hidden and replaced.
// Three known effects of copying: a letter that cross-attention does not see is missing in the result, an activation of
// another word brings its letter, and a few heads do most of the work.

import { train } from 'heddle';
import { taskCorpus } from 'heddle/data';
import { type ModelPart, modelParts } from 'heddle/reports';

/** Trains on words and their reverses, by default for 500 steps on the device of the host. */
export const trainReverse = (options: { device?: GPUDevice; steps?: number } = {}) =>
  train(taskCorpus({ task: 'reverse', pairs: 4000 }), {
    preset: 'tiny',
    model: { dModel: 64, feedForward: 128, encoderLayers: 1, decoderLayers: 1 },
    tokenizer: 'char',
    batchSize: 32,
    steps: 500,
    learningRate: 3e-3,
    tune: false,
    seed: 1,
    ...options,
  });

type Model = Awaited<ReturnType<typeof trainReverse>>;

/** The mean loss of the letters of `target`. */
async function lossOf(model: Model, word: string, target: string, ablate: readonly ModelPart[]) {
  const { loss } = await model.inspect(word, { target, ablate });
  return loss.slice(0, -1).reduce((sum, x) => sum + x, 0) / target.length;
}

/** Experiments with a word and another one of the same length. */
export async function lookInside(model: Model, word: string, other: string) {
  const reversed = await model.translate(word);

  // Hide a source letter from cross-attention: how much less likely does each letter of the result become?
  const base = await model.inspect(word, { target: reversed });
  const hidden: number[][] = [];
  for (const key of [...word].keys()) {
    const { loss } = await model.inspect(word, {
      target: reversed,
      ablate: [{ part: 'decoder.*.cross', keys: [key] }],
    });
    hidden.push(loss.map((x, t) => x - (base.loss[t] ?? 0)).slice(0, reversed.length));
  }

  // Take what the encoder says about one letter from the other word.
  const patched: string[] = [];
  for (const token of [...word].keys())
    patched.push(
      (
        await model.inspect(word, {
          patch: [{ part: 'encoder.output', from: other, tokens: [token], fromTokens: [token] }],
        })
      ).targetText,
    );

  // Switch off each head alone.
  const heads: { part: ModelPart; loss: number }[] = [];
  for (const part of modelParts(model.config).filter((name) => /(self|cross)\.\d+$/.test(name)))
    heads.push({ part, loss: await lossOf(model, word, reversed, [part]) });
  heads.sort((a, b) => b.loss - a.loss);
  return { reversed, loss: await lossOf(model, word, reversed, []), hidden, patched, heads };
}

/** Runs the experiments and prints them. */
export async function main(): Promise<void> {
  const model = await trainReverse();
  const [word, other] = ['abcdefg', 'tuvwxyz'];
  const { reversed, loss, hidden, patched, heads } = await lookInside(model, word, other);
  console.log(`${word} -> ${reversed}, loss ${loss.toFixed(3)}`);
  for (const [key, letter] of [...word].entries()) {
    const rise = hidden[key] ?? [];
    const most = rise.indexOf(Math.max(...rise));
    console.log(
      `without ${letter} the model misses ${reversed[most]}; with that of ${other}: ${patched[key]}`,
    );
  }
  for (const { part, loss: without } of heads.slice(0, 5))
    console.log(`without ${part}: loss ${without.toFixed(3)}`);
  model.dispose();
}
