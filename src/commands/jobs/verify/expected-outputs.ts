// Compares a Hugging Face folder with its expected.json: token ids of texts, their greedy decoding, and the
// logits of the first token.

import { HeddleError } from '../../../core/errors.ts';
import { present } from '../../../core/present.ts';
import { Translator } from '../../../decode/translator.ts';
import type { Engine, Program } from '../../../engine/engine.ts';
import { writeStep } from '../../../engine/ops/step-scalars.ts';
import { readJson } from '../../../files/json-files.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import { parameterList } from '../../../model/parameters.ts';
import { openModel } from '../../../session/open-model.ts';
import type { Session } from '../../../session/session.ts';
import { evaluationGraph, inputArrays } from '../../../train/update/training-graphs.ts';
import { limits, type Row } from './golden-checks.ts';

/** One text of expected.json. `word` is the source text, `phonemes` the decoded text. */
interface ExpectedCase {
  readonly word: string;
  readonly src_ids: readonly number[];
  readonly tgt_ids: readonly number[];
  readonly phonemes: string;
  readonly first_logits: readonly number[];
}

const expectedName = 'expected.json';

/** Whether a folder has an expected.json. */
export const hasExpected = ({ files }: Pick<Session, 'files'>, folder: string): Promise<boolean> =>
  files.exists(`${folder}/${expectedName}`);

/** Compares all cases of a folder: source tokens, decoded tokens and texts, logits of the first token. */
export async function checkExpected(folder: string, session: Session): Promise<Row[]> {
  const cases = await readExpected(folder, session);
  const model = await openModel(folder, session);
  const engine = await session.engine();
  try {
    const { config: c } = model;
    const sources = cases.map(({ word }) => [...model.source.encode(word), c.endId]);
    const sum = (errorOf: (x: ExpectedCase, i: number) => number) =>
      cases.reduce((n, x, i) => n + errorOf(x, i), 0);
    const translator = new Translator(engine, model, {
      shape: {
        batch: Math.min(32, cases.length),
        maxSource: Math.max(...sources.map((ids) => ids.length)),
      },
    });
    const texts = cases.map(({ word }) => word);
    const decoded = (await translator.generate(texts, { signal: session.signal })).map(([best]) => best);
    const logits = await firstLogitsError(engine, model, cases);
    const decodedIds = (i: number) => {
      const best = decoded[i];
      return present([c.startId, ...(best?.ids ?? []), best?.ended ? c.endId : undefined]);
    };
    return [
      ['source tokens', sum((x, i) => differences(sources[i] ?? [], x.src_ids)), 0],
      ['tokens', sum((x, i) => differences(decodedIds(i), x.tgt_ids)), 0],
      ['texts', sum((x, i) => (decoded[i]?.text === x.phonemes ? 0 : 1)), 0],
      ['first logits', logits, limits.logits],
    ];
  } finally {
    engine.destroy();
  }
}

/** Number of positions at which two lists differ, up to the end of the longer one. */
const differences = (a: readonly number[], b: readonly number[]): number =>
  (a.length > b.length ? a : b).filter((_, i) => a[i] !== b[i]).length;

/** The cases of a folder. Throws a HeddleError if a case lacks a field. */
export async function readExpected(
  folder: string,
  { files }: Pick<Session, 'files'>,
): Promise<ExpectedCase[]> {
  const path = `${folder}/${expectedName}`;
  const { cases } = await readJson(files, path);
  const ids = (x: unknown) => Array.isArray(x) && x.length > 0 && x.every((v) => typeof v === 'number');
  const isCase = (x: Partial<ExpectedCase> | null): boolean =>
    typeof x?.word === 'string' &&
    typeof x.phonemes === 'string' &&
    [x.src_ids, x.tgt_ids, x.first_logits].every(ids);
  if (!Array.isArray(cases) || cases.length === 0 || !cases.every(isCase))
    throw new HeddleError('cases must be a list of word, src_ids, tgt_ids, phonemes and first_logits', {
      area: path,
    });
  return cases as ExpectedCase[];
}

/**
 * Maximum |x - ref| of the logits after the start token in all cases; infinite if there are not as many as
 * tokens in the vocabulary.
 */
async function firstLogitsError(
  engine: Engine,
  { config: c }: SavedModel,
  cases: readonly ExpectedCase[],
): Promise<number> {
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
