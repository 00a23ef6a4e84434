// Folders of Hugging Face that say in expected.json what a reference decodes: ids of texts, the tokens decoded from them greedily, the
// text they are, and the scores of the first one.

import { HeddleError } from '../../core/errors.ts';
import { createTranslator } from '../../decode/translator.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { readJson } from '../../files/json-files.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import { parameterList } from '../../model/parameters.ts';
import { writeStep } from '../../ops/step-scalars.ts';
import type { JobContext } from '../../runtime/job.ts';
import { openModel } from '../../runtime/open-model.ts';
import { inputArrays } from '../../trainer/program-inputs.ts';
import { evaluationGraph } from '../../trainer/training-graphs.ts';
import type { Compared } from './verify-job.ts';

/** One text of expected.json; `word` and `phonemes` are its text and what comes out, for models that have a tokenizer. */
interface ExpectedCase {
  readonly word: string;
  readonly src_ids: readonly number[];
  readonly tgt_ids: readonly number[];
  readonly phonemes: string;
  readonly first_logits: readonly number[];
}

/** Name of the file. */
const expectedName = 'expected.json';
/** Largest difference of a logit, as the project promises it. */
const limit = 1e-4;

/** Whether a folder has cases of its own. */
export const hasExpected = ({ files }: Pick<JobContext, 'files'>, folder: string): Promise<boolean> =>
  files.exists(`${folder}/${expectedName}`);

/** Compares all cases of a folder: tokens of the sources, tokens and texts that are decoded, logits of the first token. */
export async function verifyExpected(folder: string, context: JobContext): Promise<Compared[]> {
  const cases = await readCases(folder, context);
  const model = await openModel(folder, context);
  const engine = await context.engine();
  try {
    const { config: c } = model;
    const off = (a: readonly number[], b: readonly number[]) =>
      Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] === b[i] ? 0 : 1)).reduce<number>(
        (x, y) => x + y,
        0,
      );
    const sources = cases.map(({ word }) => [...model.source.encode(word), c.endId]);
    const sum = (of: (x: ExpectedCase, i: number) => number) => cases.reduce((n, x, i) => n + of(x, i), 0);
    const translator = await createTranslator(engine, model, {
      batch: Math.min(32, cases.length),
      maxSource: Math.max(...sources.map((ids) => ids.length)),
    });
    const found = await translator.candidates(
      cases.map(({ word }) => word),
      { signal: context.signal },
    );
    const logits = await firstLogits(engine, model, cases);
    const rows: [string, number, number][] = [
      ['source tokens', sum((x, i) => off(sources[i] as number[], x.src_ids)), 0],
      [
        'tokens',
        sum((x, i) => {
          const best = found[i]?.[0];
          return off([c.startId, ...(best?.ids ?? []), ...(best?.ended ? [c.endId] : [])], x.tgt_ids);
        }),
        0,
      ],
      ['texts', sum((x, i) => (found[i]?.[0]?.text === x.phonemes ? 0 : 1)), 0],
      ['first logits', logits, limit],
    ];
    return rows.map(([quantity, error, most]) => ({ quantity, error, limit: most, passed: error <= most }));
  } finally {
    engine.destroy();
  }
}

async function readCases(folder: string, { files }: Pick<JobContext, 'files'>): Promise<ExpectedCase[]> {
  const path = `${folder}/${expectedName}`;
  const { cases } = await readJson(files, path);
  const ids = (x: unknown) => Array.isArray(x) && x.length > 0 && x.every((v) => typeof v === 'number');
  const sound = (x: Partial<ExpectedCase> | null): boolean =>
    typeof x?.word === 'string' && typeof x.phonemes === 'string' && [x.src_ids, x.tgt_ids, x.first_logits].every(ids);
  if (!Array.isArray(cases) || cases.length === 0 || !cases.every(sound))
    throw new HeddleError(`${path}: cases must be a list of word, src_ids, tgt_ids, phonemes and first_logits`);
  return cases as ExpectedCase[];
}

/** The largest difference of any logit behind the start token, over all cases; infinite where their number is not the vocabulary's. */
async function firstLogits(engine: Engine, { config: c }: SavedModel, cases: readonly ExpectedCase[]): Promise<number> {
  const S = Math.max(...cases.map((x) => x.src_ids.length));
  const graph = evaluationGraph(c, parameterList(c), { batch: 1, source: S, target: 1 }, { logits: true });
  const [program] = (await engine.prepare([graph])) as [Program];
  const { src, srcLens, tgtIn, tgtOut, tgtLens, step } = inputArrays(program);
  writeStep(step);
  let worst = 0;
  for (const { src_ids, first_logits } of cases) {
    src.fill(c.padId).set(src_ids);
    srcLens.fill(src_ids.length);
    tgtIn.fill(c.startId);
    tgtOut.fill(c.endId);
    tgtLens.fill(1);
    const { logits = [] } = await program.run();
    if (logits.length !== first_logits.length) return Number.POSITIVE_INFINITY;
    for (const [i, want] of first_logits.entries()) {
      const difference = Math.abs((logits[i] as number) - want);
      worst = difference >= 0 ? Math.max(worst, difference) : Number.POSITIVE_INFINITY;
    }
  }
  return worst;
}
