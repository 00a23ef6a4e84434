// heddle eval and heddle score: metrics of a saved model on pairs, and the log-probability of each pair.

import type { EvaluateOptions, Evaluation, PairScore } from '../../api/evaluate-model.ts';
import { openFolder, openFolderAs } from '../../api/load-model.ts';
import { type BaseModel, Model, type ModelMaker, textModel } from '../../api/model.ts';
import {
  type EvaluationReport,
  type ScoreSystemsOptions,
  scoreSystems,
  type TranslationReport,
} from '../../api/score-systems.ts';
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Pace } from '../../core/steps.ts';
import { maxLines, readInputText } from '../../files/read-input.ts';
import type { Job } from '../../session/job.ts';
import { createPace } from '../../session/job-pace.ts';
import type { Session } from '../../session/session.ts';
import { nameOfPairs, type PairFiles } from '../../text/corpus/pair-files.ts';
import { linesOf } from '../../text/corpus/pair-records.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { readPairs } from '../../train/data/read-pair-files.ts';
import type { ModelArguments } from './model-arguments.ts';

/** Arguments of `evaluate`; plain JSON. */
export interface EvaluateArguments extends ModelArguments, ScoreSystemsOptions {
  readonly pairs: PairFiles;
  /** Folders of further models, which are compared with the first. */
  readonly compare?: readonly string[];
  /**
   * Number of reference columns after the source; the first that is not empty is the target of the loss. [1]
   */
  readonly references?: number;
  /** Options of `Model.evaluate`. [greedy decoding] */
  readonly options?: Omit<EvaluateOptions, 'name' | 'signal' | 'translations'>;
}

/** Arguments of `evaluateOutputs`; plain JSON. */
export interface EvaluateOutputsArguments
  extends Pick<EvaluateArguments, 'pairs' | 'references' | 'resamples' | 'texts'> {
  /** Files of translations, one per line. */
  readonly outputs: readonly string[];
}

/** Models that read no text, which a guest brings. */
export interface OtherModels {
  /** Makes a model of the class of what it reads, a `Model` of text too. */
  readonly make: ModelMaker<BaseModel>;
  /** Evaluates a model that reads no text. */
  evaluate(model: BaseModel, args: EvaluateArguments, session: Session): Promise<EvaluationReport>;
}

/** The job that evaluates models of text, and those of `load`. Throws a HeddleError if no pair fits the models. */
export const evaluateWith =
  (load?: () => Promise<OtherModels>): Job<EvaluateArguments, EvaluationReport> =>
  async (args, session) =>
    evaluate(args, session, await load?.());

/** Evaluates. */
async function evaluate(
  args: EvaluateArguments,
  session: Session,
  others?: OtherModels,
): Promise<EvaluationReport> {
  const { pairs: given, compare = [], references } = args;
  const evaluations: Evaluation[] = [];
  let normalize = (text: string) => text;
  let pairs: readonly Pair[] = [];
  for (const folder of [args.folder, ...compare]) {
    const model = await openFolderAs(
      others?.make ?? textModel,
      folder,
      session,
      folder === args.folder ? args : { ...args, lora: undefined },
    );
    try {
      if (!(model instanceof Model)) {
        check(
          compare.length === 0,
          'models that read no text are evaluated one at a time; leave out compare',
          { area: 'eval' },
        );
        return await (others as OtherModels).evaluate(model, args, session);
      }
      if (folder === args.folder) {
        pairs = await readPairs(given, session, references);
        normalize = (text) => model.tokenizers.target.normalize(text);
      }
      const evaluation = await model.evaluate(pairs, {
        ...args.options,
        name: nameOfPairs(given),
        translations: true,
        signal: session.signal,
      });
      evaluations.push(evaluation);
    } finally {
      model.dispose();
    }
  }
  const names = [args.folder, ...compare];
  const { translations: _, ...first } = evaluations[0] as Evaluation;
  const all = evaluations.map(({ translations = [] }) => translations);
  return { ...(await scoreSystems(args, pairs, names, all, normalize, paceOf(session))), ...first };
}

/** Scores files of translations. Throws a HeddleError if a file does not have a line for each pair. */
export const evaluateOutputs: Job<EvaluateOutputsArguments, TranslationReport> = async (args, session) => {
  const { pairs: given, outputs, references } = args;
  const pairs = await readPairs(given, session, references);
  const files = await Promise.all(outputs.map((path) => readLines(path, pairs.length, session)));
  return scoreSystems(args, pairs, outputs, files, undefined, paceOf(session));
};

/** The lines of a file of translations. Throws a HeddleError if their number is not that of the pairs. */
async function readLines(path: string, count: number, { files }: Pick<Session, 'files'>): Promise<string[]> {
  const lines = linesOf(await readInputText(files, path, maxLines)).map((line) => line.replace(/\r$/, ''));
  check(
    lines.length === count,
    msg`${lines.length} ${lines.length === 1 ? 'line' : 'lines'}, valid pairs in the files of pairs: ${count}`,
    { area: path },
  );
  return lines;
}

/** The pace of scoring: without progress. */
const paceOf = ({ signal }: Pick<Session, 'signal'>): Pace => createPace({ emit: () => undefined, signal });

/** Arguments of `score`; plain JSON. */
export interface ScoreArguments extends ModelArguments {
  readonly pairs: PairFiles;
  /** Maximum number of pairs in a batch. */
  readonly batchSize: number;
  /** Folder of a model of the other direction, for dual conditional cross-entropy. */
  readonly backward?: string;
}

/** A pair and its score, without one if the pair is too long or has an empty side; plain JSON. */
export interface ScoredPair extends Pair, Partial<PairScore> {
  /**
   * With `backward`: |a - b| + (a + b) / 2 of the cross-entropies per token of both directions (Junczys-Dowmunt,
   * 2018, "Dual Conditional Cross-Entropy Filtering of Noisy Parallel Corpora"). Small is good.
   */
  readonly dual?: number;
}

/** Scores pairs, in order. Throws a HeddleError if none fits the model. */
export const score: Job<ScoreArguments, ScoredPair[]> = async (args, session) => {
  const { backward, batchSize } = args;
  const pairs = await readPairs(args.pairs, session);
  const scoresOf = async (folder: string, list: readonly Pair[], options: Partial<ModelArguments>) => {
    const model = await openFolder(folder, session, options);
    try {
      return await model.score(list, { batchSize, signal: session.signal });
    } finally {
      model.dispose();
    }
  };
  const scores = await scoresOf(args.folder, pairs, args);
  if (backward === undefined) return pairs.map((pair, i) => ({ ...pair, ...scores[i] }));
  const swapped = pairs.map(({ source, target }) => ({ source: target, target: source }));
  const others = await scoresOf(backward, swapped, { weights: args.weights });
  const entropy = (pair: PairScore | undefined) => pair && -pair.logProb / pair.tokens.length;
  return pairs.map((pair, i) => {
    const [a, b] = [entropy(scores[i]), entropy(others[i])];
    const dual = a === undefined || b === undefined ? undefined : Math.abs(a - b) + (a + b) / 2;
    return { ...pair, ...scores[i], dual };
  });
};
