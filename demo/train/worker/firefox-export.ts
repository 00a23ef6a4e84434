// The files that Firefox downloads, of a model in this browser. The multipliers of the inputs of int8 products are
// measured on the pairs that the model was trained on, if they are stored with it.

import { readTsv } from '../../../src/entries/data.ts';
import { loadModel } from '../../../src/entries/heddle.ts';
import { unzip } from '../../../src/entries/host.ts';

/** Maximum number of pairs on which the multipliers are measured. */
const maxPairs = 100;

/**
 * The files of a stored model by name. `stored`: the TSV file of its pairs. Throws a HeddleError that names what the
 * format does not support.
 */
export async function firefoxFiles(
  name: string,
  stored: Uint8Array | undefined,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const pairs = stored && pairsIn(stored);
  const model = await loadModel(name);
  try {
    const languages = /(?:^|[^a-z])([a-z]{2})-?([a-z]{2})(?![a-z])/.exec(name);
    const blob = await model.toBlob({
      format: 'firefox',
      formatOptions: {
        languagePair: languages ? `${languages[1]}${languages[2]}` : 'xxyy',
        calibration: pairs && pairs.length > 0 ? pairs : undefined,
      },
    });
    const files = await unzip(new Uint8Array(await blob.arrayBuffer()), name);
    const named = Object.entries(files).filter(([each]) =>
      /^(?:model|lex|vocab|srcvocab|trgvocab)\./.test(each),
    );
    return Object.fromEntries(named);
  } finally {
    model.dispose();
  }
}

/** Some of the pairs of a file, spread over it; none if it cannot be read. */
function pairsIn(file: Uint8Array) {
  try {
    const { pairs } = readTsv(file, 'pairs');
    const every = Math.max(1, Math.floor(pairs.length / maxPairs));
    return pairs.filter((_, i) => i % every === 0).slice(0, maxPairs);
  } catch {
    return [];
  }
}
