// A student of Firefox with random weights, as Marian stores it: model.bin in float32, decoder.yml and a vocabulary of
// numbers. Its sublayers are weak, and the embedding of one token is the position that the decoder reads first. So
// this token is ahead of all others by more than what 8 bits change, and every engine writes it until the limit of
// the length: ids are equal in int8 too. How long a step takes does not depend on its token.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firefoxModel, numberVocabulary } from './marian-files.mjs';

/** Sizes of Firefox's models. */
export const firefoxSizes = {
  'firefox-tiny': { width: 256, feedForward: 1536, decoderLayers: 2 },
  'firefox-base': { width: 512, feedForward: 2048, decoderLayers: 2 },
  'firefox-base-memory': { width: 384, feedForward: 1536, decoderLayers: 4 },
};
const common = { vocabulary: 32000, encoderLayers: 6, heads: 8 };

/** The token that is written. */
const written = 7;

/** Bound of the weights of sublayers, as a fraction of Glorot's. */
const weak = 0.3;

/**
 * Writes the model.
 *
 * @param {string} folder
 * @param {keyof typeof firefoxSizes} name
 */
export function writeRandomFirefox(folder, name) {
  mkdirSync(folder, { recursive: true });
  const sizes = { ...common, ...firefoxSizes[name] };
  let state = 1;
  /** A number between -1 and 1 (xorshift; Marsaglia, 2003). */
  const draw = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
  const bounds = {
    embedding: () => Math.sqrt(3 / sizes.width),
    matrix: (rows, cols) => weak * Math.sqrt(6 / (rows + cols)),
  };
  const values = (rows, cols, kind) => {
    const out = new Float32Array(rows * cols);
    if (kind === 'scale') return out.fill(1);
    if (kind === 'bias') return out;
    const bound = bounds[kind](rows, cols);
    const drawn = out.map(() => bound * draw());
    // The position 0 is zeros, then ones. With larger weights the engine's sums of 16 bits would saturate.
    if (kind === 'embedding')
      for (let i = 0; i < cols; i++) drawn[written * cols + i] = i < cols / 2 ? 0 : 0.48 * bound;
    return drawn;
  };
  writeFileSync(join(folder, 'model.bin'), firefoxModel(sizes, values));
  writeFileSync(
    join(folder, 'vocab.spm'),
    numberVocabulary(sizes.vocabulary, { end: 0, unknown: 1, type: 'unigram' }),
  );
  const decoder = [
    'models:',
    '  - model.bin',
    'vocabs:',
    '  - vocab.spm',
    '  - vocab.spm',
    'relative-paths: true',
  ];
  const rules = ['beam-size: 1', 'normalize: 1', 'word-penalty: 0', 'max-length-factor: 2'];
  writeFileSync(join(folder, 'decoder.yml'), `${[...decoder, ...rules].join('\n')}\n`);
}
