// Scores of stored models on the pairs of a file, as of heddle eval: paired bootstrap, groups, the worst sentences.

import { readPairs } from '../../../src/entries/data.ts';
import { scoreSystems } from '../../../src/entries/metrics.ts';
import { evaluationReport } from '../../../src/entries/reports.ts';
import type { AnyModel } from '../guests/train-guests.ts';
import type { RunScores } from '../protocol.ts';
import { textModelOf } from './decode-text.ts';

/** Translates the pairs with each model, one after the other, greedily, and compares the models with the first. */
export async function evaluateRuns(
  names: readonly string[],
  file: Blob,
  { load, signal }: { load(name: string): Promise<AnyModel>; readonly signal: AbortSignal },
): Promise<RunScores> {
  const pairs = await readPairs(file, { signal });
  const outputs: (readonly (string | null)[])[] = [];
  let normalize = (text: string) => text;
  for (const name of names) {
    const loaded = await load(name);
    try {
      const model = textModelOf(name, loaded);
      const { target } = model.tokenizers;
      if (outputs.length === 0) normalize = (text) => target.normalize(text);
      const { translations = [] } = await model.evaluate(pairs, { translations: true, signal });
      outputs.push(translations);
    } finally {
      loaded.dispose();
    }
  }
  const report = await scoreSystems({}, pairs, names, outputs, normalize);
  return { report, html: evaluationReport(report) };
}
