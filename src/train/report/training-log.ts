// The training log: JSON lines, one record each. A resumed run adds another `start`, so that the concatenated
// lines of its sessions are one log. Numbers that are not finite are null, since JSON has none.

import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';

/** The corpus of a run. */
export interface CorpusFacts {
  /** Description of the built-in corpus, or the file name. */
  readonly name: string;
  /** Number of training pairs. */
  readonly pairs: number;
  /** Number of omitted pairs: too long, or with an empty side. */
  readonly skipped: number;
  /** Number of dev pairs. */
  readonly dev: number;
  /** Number of test pairs. */
  readonly test: number;
  /** Kind of the tokenizers. */
  readonly tokenizer: string;
  /** Whether the tokenizers lowercase text. */
  readonly lowercase?: boolean;
  /** Fractions of unknown tokens in the training pairs. */
  readonly unknown?: { readonly source: number; readonly target: number };
  /** Number of tokens of the source. */
  readonly sourceVocabulary: number;
  /** Number of tokens of the target. */
  readonly targetVocabulary: number;
  /** Mean number of source tokens of a pair. */
  readonly sourceLength: number;
  /** Mean number of target tokens of a pair. */
  readonly targetLength: number;
  /**
   * Mean number of characters of a target token of the dev pairs: a loss divided by it is one per character, which
   * can be compared between vocabularies. Absent without dev pairs and in logs of earlier versions.
   */
  readonly devCharactersPerToken?: number;
}

/** Cost of a step, from its plans. */
export interface PlanFacts {
  /** Peak bytes of the largest plan. */
  readonly peakBytes: number;
  /** Lower bound of the bytes of any plan of its graph. */
  readonly lowerBound: number;
  /** Dispatches of a step. */
  readonly dispatches: number;
  /** Floating-point operations of a step. */
  readonly flops: number;
  /** FLOPs of the matrix products, without recomputation; absent in logs of earlier versions. */
  readonly modelFlops?: number;
  /** Batch shapes: rows, source and target positions, as `64x16x20`. */
  readonly shapes: readonly string[];
}

/** First record of a session. */
export interface LogStart {
  /** Kind of the record. */
  readonly type: 'start';
  /** Format of the log. */
  readonly format: 'heddle-log';
  /** Version of the format. */
  readonly version: 1;
  /** Version of heddle. */
  readonly heddle: string;
  /** Start time in ISO 8601, UTC. */
  readonly time: string;
  /** Number of updates done in earlier sessions. */
  readonly step: number;
  /** Planned number of updates. */
  readonly steps: number;
  /** Updates per epoch. */
  readonly stepsPerEpoch: number;
  /** Name of the adapter, or of the CPU engine. */
  readonly backend: string;
  /** Seed of the run. */
  readonly seed: number;
  /** Number of parameters of the model. */
  readonly parameters: number;
  /** Name of the preset. */
  readonly preset: string;
  /** Configuration of the model. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Initialization, gradient accumulation, optimizer and schedule. */
  readonly recipe: Readonly<Record<string, unknown>>;
  /** The corpus of the run. */
  readonly corpus: CorpusFacts;
  /** Cost of a step; absent if the log is of a run in PyTorch. */
  readonly plan?: PlanFacts;
  /** Kernels that fail their check on this adapter, with the reason; absent if there are none. */
  readonly droppedKernels?: Readonly<Record<string, string>>;
  /** Arguments of the run. */
  readonly arguments: unknown;
}

/** One update. */
export interface LogStep {
  /** Kind of the record. */
  readonly type: 'step';
  /** Its number, from 1. */
  readonly step: number;
  /** Mean loss per target token in nats, label smoothing included. */
  readonly loss: number;
  /** Fraction, from 0 to 1, of target tokens that are the model's most probable token. */
  readonly accuracy: number;
  /** Learning rate of the update. */
  readonly learningRate: number;
  /** Norm before clipping; not finite if the step was skipped. */
  readonly gradientNorm: number;
  /** Number of target tokens. */
  readonly tokens: number;
  /** Target tokens per second over the last updates. */
  readonly tokensPerSecond: number;
  /**
   * Model FLOPs utilization over the last updates, from 0 to 1: `modelFlops` over time over the adapter's
   * measured peak. Absent until the peak is known, and on the CPU.
   */
  readonly mfu?: number;
  /** Seconds in training since `start`, without evaluations and saving. */
  readonly seconds: number;
  /** Loss scale of this update in mixed precision. */
  readonly lossScale?: number;
  /** Present if the update was skipped because a gradient is not finite. */
  readonly skipped?: true;
  /** Norm of the update divided by the norm of the trained weights after it; only if it was measured. */
  readonly updateRatio?: number;
  /** Mean of each part of the loss beside that of the tokens, per target token and times its weight, by name. */
  readonly lossParts?: Readonly<Record<string, number>>;
}

/** Settings that were changed during the run, after `step` updates; see src/train/report/run-changes.ts. */
export interface LogChange {
  /** Kind of the record. */
  readonly type: 'change';
  /** Number of updates before the change. */
  readonly step: number;
  /** Maximum of the schedule; for `noam` its factor. */
  readonly learningRate?: number;
  /** Dropout rate of all places where the run has dropout. */
  readonly dropout?: number;
  /** Updates between evaluations. */
  readonly evalSteps?: number;
}

/** The start of a stage after `step` updates: its number from 1, how many there are, and its data in words. */
export interface LogStage {
  /** Kind of the record. */
  readonly type: 'stage';
  /** Number of updates before the stage. */
  readonly step: number;
  /** Its number, from 1. */
  readonly stage: number;
  /** Number of stages. */
  readonly stages: number;
  /** `80 % clean.tsv, 20 % bt.tsv`. */
  readonly data: string;
}

/**
 * An evaluation after an update; with metrics of translations if sentences were translated. Metrics of guests are fields
 * by their names (`metricValue`).
 */
export interface LogEval {
  /** Kind of the record. */
  readonly type: 'eval';
  /** Number of updates before the evaluation. */
  readonly step: number;
  /** The pairs that were evaluated. */
  readonly part: 'dev' | 'test';
  /**
   * Number of pairs for loss, perplexity and accuracy, which have no label smoothing; absent if only
   * translations were evaluated.
   */
  readonly pairs?: number;
  /** Mean loss per target token in nats. */
  readonly loss?: number;
  /** exp(loss). */
  readonly perplexity?: number;
  /** Fraction of target tokens that are the most probable token of the model, 0 to 1. */
  readonly tokenAccuracy?: number;
  /** The same without unknown tokens. */
  readonly knownTokenAccuracy?: number;
  /** Number of translated sentences. */
  readonly sentences?: number;
  /** BLEU of the translations, 0 to 100. */
  readonly bleu?: number;
  /** chrF2 of the translations, 0 to 100. */
  readonly chrf?: number;
  /** Fraction of translations that equal a reference, 0 to 1. */
  readonly exactMatch?: number;
  /** How BLEU was computed, as sacreBLEU prints it. */
  readonly bleuSignature?: string;
  /** How chrF was computed, as sacreBLEU prints it. */
  readonly chrfSignature?: string;
  /** Seconds of the evaluation. */
  readonly seconds: number;
}

/** A dev or test sentence, its reference and its translation. */
export interface Sample {
  /** The sentence. */
  readonly source: string;
  /** Its reference translation. */
  readonly reference: string;
  /** Its translation by the model. */
  readonly translation: string;
  /** Whether the translation equals the reference after normalization by the tokenizer. */
  readonly exact: boolean;
}

/** Translations at the end. */
export interface LogSamples {
  /** Kind of the record. */
  readonly type: 'samples';
  /** Number of updates before the translations. */
  readonly step: number;
  /** The sentences and their translations. */
  readonly samples: readonly Sample[];
}

/**
 * Attention and most probable next tokens for one pair after an update. Weights of each layer [heads,
 * queries, keys] and gates [target tokens, channels] are bytes (255 is 1) in base64.
 */
export interface LogProbe {
  /** Kind of the record. */
  readonly type: 'probe';
  /** Number of updates before the probe. */
  readonly step: number;
  /**
   * Time for all probes of the session divided by its training time; 0 before the first step. Older logs omit
   * it.
   */
  readonly share?: number;
  /** Labels of the source tokens; one that begins a word has ▁ before it. */
  readonly source: readonly string[];
  /** Labels of the decoder's input tokens. */
  readonly target: readonly string[];
  /** Attention weights of each layer. */
  readonly attention: readonly {
    readonly kind: 'encoder' | 'decoder' | 'cross';
    readonly layer: number;
    readonly heads: number;
    readonly weights: string;
  }[];
  /** Gates of the decoder's layers, if they are SSRUs. */
  readonly gates?: readonly { readonly layer: number; readonly channels: number; readonly values: string }[];
  /** Label and probability of the five most probable tokens after each target token. */
  readonly next: readonly (readonly (readonly [token: string, probability: number])[])[];
}

/** End of a run or a session. */
export interface LogEnd {
  /** Kind of the record. */
  readonly type: 'end';
  /** End time in ISO 8601, UTC. */
  readonly time: string;
  /** Total number of updates. */
  readonly step: number;
  /** `stopped`: by the user before the last step; `patience`: early stopping; `failed`: see `error`. */
  readonly reason: 'done' | 'stopped' | 'patience' | 'failed';
  /** Message of the error that ended the run. */
  readonly error?: string;
  /** Total number of skipped updates. */
  readonly skipped: number;
  /** Model FLOPs utilization (MFU) of this session, from 0 to 1; absent if the adapter's peak is unknown. */
  readonly mfu?: number;
  /** The best evaluation, whose weights the model has; absent if there was no evaluation. */
  readonly best?: { readonly metric: string; readonly value: number; readonly step: number };
}

/** A line of the log. */
export type LogRecord = LogStart | LogStep | LogEval | LogSamples | LogProbe | LogChange | LogStage | LogEnd;

/** Name of the log in a model folder. */
export const logName = 'log.jsonl';

/** Name of the report in a model folder. */
export const reportName = 'report.html';

/** Formats records as lines. */
export const formatLog = (records: Iterable<LogRecord>): string =>
  Array.from(records, (record) => `${JSON.stringify(record)}\n`).join('');

/** Required fields by type; a number that was not finite is null. */
const needed: Record<LogRecord['type'], Record<string, 'number' | 'string' | 'object'>> = {
  start: { format: 'string', time: 'string', step: 'number', config: 'object', corpus: 'object' },
  step: { step: 'number', loss: 'number', learningRate: 'number', tokens: 'number', seconds: 'number' },
  eval: { step: 'number', part: 'string' },
  samples: { step: 'number', samples: 'object' },
  probe: { step: 'number', source: 'object', target: 'object', attention: 'object', next: 'object' },
  change: { step: 'number' },
  stage: { step: 'number', stage: 'number', data: 'string' },
  end: { step: 'number', reason: 'string' },
};

/**
 * Parses a log. Ignores an incomplete last line (of a killed process) and records of unknown types. Throws a
 * HeddleError that starts with `name` and names any other damaged line.
 */
export function parseLog(text: string, name = logName): LogRecord[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const records: LogRecord[] = [];
  const take = (line: string, number: number) => {
    const record = recordOf(line, `${name}: line ${number}`);
    if (record) records.push(record);
  };
  for (const [i, line] of lines.entries()) if (line.trim() !== '') take(line, i + 1);
  if (isJson(last)) take(last, lines.length + 1);
  return records;
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === 'object';
  } catch {
    return false;
  }
}

function recordOf(line: string, where: string): LogRecord | undefined {
  if (!isJson(line)) throw new HeddleError(msg`${where} is not JSON; is this a log of heddle train?`);
  const record = JSON.parse(line) as Record<string, unknown> | null;
  const type = record?.type;
  if (!record || typeof type !== 'string')
    throw new HeddleError(msg`${where} has no type; is this a log of heddle train?`);
  if (!Object.hasOwn(needed, type)) return undefined;
  for (const [field, expected] of Object.entries(needed[type as LogRecord['type']])) {
    const value = record[field];
    const fits = expected === 'number' && value === null ? true : typeof value === expected && value !== null;
    if (!fits)
      throw new HeddleError(msg`${field} of ${type} is ${JSON.stringify(value)}, not a ${expected}`, {
        area: where,
      });
  }
  if (type === 'start' && record.version !== 1)
    throw new HeddleError(msg`version ${JSON.stringify(record.version)}, this heddle reads version 1`, {
      area: where,
    });
  const numbers = Object.entries(record).map(([key, value]) => [key, value === null ? Number.NaN : value]);
  return Object.fromEntries(numbers) as unknown as LogRecord;
}

/** History of a run, from its log. */
export interface TrainingHistory {
  /** The first record of the first session. */
  readonly first: LogStart;
  /** The first record of the last session. */
  readonly start: LogStart;
  /** The updates in order, with `seconds` since the first start. Omits updates that a resumed run repeats. */
  readonly steps: readonly LogStep[];
  /** Evaluations. */
  readonly evals: readonly LogEval[];
  /** Translations at the end. */
  readonly samples: readonly Sample[];
  /** Probes. */
  readonly probes: readonly LogProbe[];
  /** Changes of settings. */
  readonly changes: readonly LogChange[];
  /** Stages that have started, in order. */
  readonly stages: readonly LogStage[];
  /** Ends of all sessions; a killed session has none. */
  readonly ends: readonly LogEnd[];
}

/**
 * The model FLOPs utilization (MFU) of a run: that of its last session; while it runs, the mean of its updates.
 * Undefined if the adapter's peak is unknown.
 */
export function mfuIn({ ends, steps }: Pick<TrainingHistory, 'ends' | 'steps'>): number | undefined {
  const end = ends.at(-1);
  if (end?.mfu !== undefined && end.step === steps.at(-1)?.step) return end.mfu;
  const rates = steps.flatMap(({ mfu }) => (mfu === undefined ? [] : [mfu]));
  return rates.length > 0 ? rates.reduce((sum, x) => sum + x, 0) / rates.length : undefined;
}

/** Returns the history in a log. Throws a HeddleError if it has no start. */
export function historyOf(records: readonly LogRecord[]): TrainingHistory {
  const starts = records.filter((r) => r.type === 'start');
  const [first, start] = [starts[0], starts.at(-1)];
  if (!first || !start)
    throw new HeddleError('it has no start record; the beginning of the file may be missing', {
      area: 'log',
    });
  let kept: Exclude<LogRecord, LogStart>[] = [];
  let before = 0;
  for (const record of records) {
    if (record.type === 'start') {
      kept = kept.filter((r) => r.type === 'end' || (r.type !== 'samples' && r.step <= record.step));
      before = kept.findLast((r) => r.type === 'step')?.seconds ?? 0;
    } else if (record.type === 'step') kept.push({ ...record, seconds: before + record.seconds });
    else kept.push(record);
  }
  return {
    first,
    start,
    steps: kept.filter((r) => r.type === 'step'),
    evals: kept.filter((r) => r.type === 'eval'),
    samples: kept.findLast((r) => r.type === 'samples')?.samples ?? [],
    probes: [...new Map(kept.flatMap((r) => (r.type === 'probe' ? [[r.step, r]] : []))).values()],
    changes: kept.filter((r) => r.type === 'change'),
    stages: [...new Map(kept.flatMap((r) => (r.type === 'stage' ? [[r.stage, r]] : []))).values()],
    ends: kept.filter((r) => r.type === 'end'),
  };
}
