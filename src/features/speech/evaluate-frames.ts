// Evaluation of models of frames: what they write of recordings or of images of lines, against the texts.

import type { EvaluateOptions } from '../../api/evaluate-model.ts';
import { type EvaluationReport, type ScoreSystemsOptions, scoreSystems } from '../../api/score-systems.ts';
import { check, HeddleError, reasonOf } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { createPace } from '../../session/job-pace.ts';
import type { Session } from '../../session/session.ts';
import { nameOfPairs, type PairFiles } from '../../text/corpus/pair-files.ts';
import type { Pair } from '../../text/corpus/pairs.ts';
import { scoreTranslations } from '../../text/metrics/metric.ts';
import { tokenMetrics } from '../../text/metrics/translation-metrics.ts';
import { readPairs } from '../../train/data/read-pair-files.ts';
import { readRecording } from './audio/read-recording.ts';
import { clipsOf } from './load-clips.ts';
import { LineModel, type SpeechModel } from './speech-model.ts';

/** What is evaluated. */
export interface FrameEvaluation extends ScoreSystemsOptions {
  /** Name of the model. */
  readonly folder: string;
  /** Manifests of clips, or pairs whose sources are drawn. */
  readonly pairs: PairFiles;
  readonly options?: EvaluateOptions;
}

/** The pairs of a model of frames, and how it reads their sources. */
interface FrameSources {
  readonly pairs: readonly Pair[];
  /** Number of sources that are read together. */
  readonly batch: number;
  /** Name of the work, and of the sources. */
  readonly task: 'transcribe' | 'read';
  readonly unit: 'clip' | 'line';
  read(sources: readonly string[]): Promise<readonly string[]>;
}

/** The clips of manifests, each read in one pass. */
async function clipSources(
  model: SpeechModel,
  args: FrameEvaluation,
  session: Session,
): Promise<FrameSources> {
  const { files, signal } = session;
  const { beams, sourceLang: language } = args.options ?? {};
  const options = { timestamps: false, temperature: 0, beams, language, signal };
  return {
    pairs: await clipsOf(args.pairs, files),
    batch: 1,
    task: 'transcribe',
    unit: 'clip',
    read: (sources) =>
      Promise.all(
        sources.map(
          async (path) => (await model.transcribe(await readRecording(files, path), options, path)).text,
        ),
      ),
  };
}

/** Pairs whose sources are drawn as images of a line, as in the training. */
async function lineSources(model: LineModel, args: FrameEvaluation, session: Session): Promise<FrameSources> {
  const { signal } = session;
  return {
    pairs: await readPairs(args.pairs, session),
    batch: 8,
    task: 'read',
    unit: 'line',
    read: (sources) => model.read(sources, { signal, maxNewTokens: args.options?.maxNewTokens }),
  };
}

/**
 * Evaluates a model of frames: its texts of clips or of drawn lines against the targets. Throws a HeddleError if none
 * can be read.
 */
export async function evaluateFrames(
  model: SpeechModel | LineModel,
  args: FrameEvaluation,
  session: Session,
): Promise<EvaluationReport> {
  const { pairs: given, folder } = args;
  const { emit, signal } = session;
  const { pairs, batch, task, unit, read } = await (model instanceof LineModel
    ? lineSources(model, args, session)
    : clipSources(model, args, session));
  const name = nameOfPairs(given);
  /** The texts of some sources; null for those that cannot be read. */
  const readable = async (sources: readonly string[]): Promise<readonly (string | null)[]> => {
    signal.throwIfAborted();
    try {
      return await read(sources);
    } catch (error) {
      if (signal.aborted || !(error instanceof HeddleError) || error.area === 'transcribe') throw error;
      if (sources.length > 1) return (await Promise.all(sources.map((source) => readable([source])))).flat();
      emit({ type: 'message', text: msg`${name}: ${reasonOf(error)}` });
      return [null];
    }
  };
  const texts: (string | null)[] = [];
  for (let at = 0; at < pairs.length; at += batch) {
    const part = pairs.slice(at, at + batch);
    texts.push(...(await readable(part.map(({ source }) => source))));
    emit({ type: 'progress', task, done: at + part.length, total: pairs.length, text: `${unit}s` });
  }
  check(
    texts.some((text) => text !== null),
    msg`no ${unit} can be read`,
    { area: name },
  );
  const known = pairs.flatMap(({ target }, i) => (texts[i] === null ? [] : [[target]]));
  const found = texts.flatMap((text) => text ?? []);
  const scored = { translations: found, references: known, normalize: (text: string) => text };
  return {
    ...(await scoreSystems(
      args,
      pairs,
      [folder],
      [texts],
      undefined,
      createPace({ emit: () => undefined, signal }),
    )),
    ...tokenMetrics([]),
    ...scoreTranslations(session.features.metrics, scored),
  };
}
