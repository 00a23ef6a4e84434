// The training log: JSON lines, one record each. A training that goes on from a checkpoint adds a further `start`, so that the lines of
// all its parts after one another are one log. Numbers that are not finite are null there, as JSON has no name for them.

import { HeddleError } from '../core/errors.ts';

/** Where the pairs came from and what became of them. */
export interface CorpusFacts {
  /** `intl en-es`, or the file. */
  readonly name: string;
  /** Pairs to learn from, and those left out for their length or since a side is empty. */
  readonly pairs: number;
  readonly leftOut: number;
  readonly dev: number;
  readonly test: number;
  readonly tokenizer: string;
  readonly sourceVocabulary: number;
  readonly targetVocabulary: number;
  /** Mean tokens of a pair's two sides. */
  readonly sourceLength: number;
  readonly targetLength: number;
}

/** What a step costs, by its plans. */
export interface PlanFacts {
  /** Of the largest plan, and what no plan of it could go below. */
  readonly peakBytes: number;
  readonly lowerBound: number;
  readonly dispatches: number;
  readonly flops: number;
  /** Rows, source and target positions of the batches: `64x16x20`. */
  readonly shapes: readonly string[];
}

/** The head of a log. */
export interface LogStart {
  readonly type: 'start';
  readonly format: 'heddle-log';
  readonly version: 1;
  /** heddle's version, and when it began: ISO 8601, UTC. */
  readonly heddle: string;
  readonly time: string;
  /** Updates that were done before, by this log or one before it. */
  readonly step: number;
  /** Updates in all, as planned. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly backend: string;
  readonly seed: number;
  readonly parameters: number;
  readonly preset: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly corpus: CorpusFacts;
  readonly plan?: PlanFacts;
  /** What `heddle train` was asked to do. */
  readonly arguments: unknown;
}

/** One update. */
export interface LogStep {
  readonly type: 'step';
  /** Its number, from 1. */
  readonly step: number;
  /** Mean loss of a target token in nats, label smoothing included. */
  readonly loss: number;
  /** Share of target tokens that the model would have guessed, from 0 to 1. */
  readonly accuracy: number;
  readonly learningRate: number;
  /** Before clipping; not finite where the step was skipped. */
  readonly gradientNorm: number;
  /** Target tokens, and how many a second over the last few updates. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Time in training since the head above it, evaluations and saving not counted. */
  readonly seconds: number;
  /** In mixed precision: the scale that this update's loss had. */
  readonly lossScale?: number;
  /** There where the update was left out since something was not finite. */
  readonly skipped?: true;
}

/** An evaluation after an update. Metrics of translations are there where sentences were translated. */
export interface LogEval {
  readonly type: 'eval';
  readonly step: number;
  readonly part: 'dev' | 'test';
  /** Pairs that loss, perplexity and accuracy are of; without label smoothing. Left out where only translations were judged. */
  readonly pairs?: number;
  readonly loss?: number;
  readonly perplexity?: number;
  readonly tokenAccuracy?: number;
  readonly sentences?: number;
  readonly bleu?: number;
  readonly chrf?: number;
  readonly exactMatch?: number;
  readonly bleuSignature?: string;
  readonly chrfSignature?: string;
  readonly seconds: number;
}

/** A phrase that training never saw, what it should become and what it became. */
export interface Sample {
  readonly source: string;
  readonly reference: string;
  readonly translation: string;
  /** Whether it is the reference in the form that the tokenizer can write. */
  readonly exact: boolean;
}

/** Translations at the end. */
export interface LogSamples {
  readonly type: 'samples';
  readonly step: number;
  readonly samples: readonly Sample[];
}

/** The end of a training, or of a part of it. */
export interface LogEnd {
  readonly type: 'end';
  readonly time: string;
  /** Updates done in all. */
  readonly step: number;
  /** `stopped`: before its last step, by the user; `patience`: since evaluations no longer got better; `failed`: see `error`. */
  readonly reason: 'done' | 'stopped' | 'patience' | 'failed';
  readonly error?: string;
  /** Updates of the whole training that were left out. */
  readonly skipped: number;
  /** The evaluation whose weights are the model, where they are not the last ones by plan. */
  readonly best?: { readonly metric: string; readonly value: number; readonly step: number };
}

/** A line of the log. */
export type LogRecord = LogStart | LogStep | LogEval | LogSamples | LogEnd;

/** Name of the log in a model folder. */
export const logName = 'log.jsonl';

/** Records as lines, each with its end. */
export const formatLog = (records: Iterable<LogRecord>): string =>
  Array.from(records, (record) => `${JSON.stringify(record)}\n`).join('');

/** Fields that must be there, by type; a number that was not finite comes as null. */
const needed: Record<LogRecord['type'], Record<string, 'number' | 'string' | 'object'>> = {
  start: { format: 'string', time: 'string', step: 'number', config: 'object', corpus: 'object' },
  step: { step: 'number', loss: 'number', learningRate: 'number', tokens: 'number', seconds: 'number' },
  eval: { step: 'number', part: 'string' },
  samples: { step: 'number', samples: 'object' },
  end: { step: 'number', reason: 'string' },
};

/**
 * Reads a log. A last line that is cut off, as a process that is killed leaves it, is passed over; records of unknown types are too.
 * Throws a HeddleError that names the line where another one is not a record. `name` stands before what it says.
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
  if (!isJson(line)) throw new HeddleError(`${where} is not JSON; is this a log of heddle train?`);
  const record = JSON.parse(line) as Record<string, unknown> | null;
  const type = record?.type;
  if (!record || typeof type !== 'string')
    throw new HeddleError(`${where} has no type; is this a log of heddle train?`);
  if (!Object.hasOwn(needed, type)) return undefined;
  for (const [field, wanted] of Object.entries(needed[type as LogRecord['type']])) {
    const value = record[field];
    const fits = wanted === 'number' && value === null ? true : typeof value === wanted && value !== null;
    if (!fits) throw new HeddleError(`${where}: ${field} of ${type} is ${JSON.stringify(value)}, not a ${wanted}`);
  }
  if (type === 'start' && record.version !== 1)
    throw new HeddleError(`${where}: version ${JSON.stringify(record.version)}, this heddle reads version 1`);
  const numbers = Object.entries(record).map(([key, value]) => [key, value === null ? Number.NaN : value]);
  return Object.fromEntries(numbers) as unknown as LogRecord;
}

/** A log taken apart. */
export interface TrainingHistory {
  /** The first head, and the last. */
  readonly first: LogStart;
  readonly start: LogStart;
  /** In order, `seconds` from the first head on; what came after a checkpoint from which a training went on is left out. */
  readonly steps: readonly LogStep[];
  readonly evals: readonly LogEval[];
  readonly samples: readonly Sample[];
  /** Ends of all parts; the last part has none where it was killed. */
  readonly ends: readonly LogEnd[];
}

/** Takes a log apart. Throws a HeddleError where it has no head. */
export function historyOf(records: readonly LogRecord[]): TrainingHistory {
  const starts = records.filter((r) => r.type === 'start');
  const [first, start] = [starts[0], starts.at(-1)];
  if (!first || !start) throw new HeddleError('log: it has no head; was it cut off at its front?');
  const course = {
    first,
    start,
    steps: [] as LogStep[],
    evals: [] as LogEval[],
    samples: [] as Sample[],
    ends: [] as LogEnd[],
  };
  let before = 0;
  for (const record of records) {
    if (record.type === 'start') {
      course.steps = course.steps.filter((r) => r.step <= record.step);
      course.evals = course.evals.filter((r) => r.step <= record.step);
      course.samples = [];
      before = course.steps.at(-1)?.seconds ?? 0;
    } else if (record.type === 'step') course.steps.push({ ...record, seconds: before + record.seconds });
    else if (record.type === 'eval') course.evals.push(record);
    else if (record.type === 'samples') course.samples = [...record.samples];
    else course.ends.push(record);
  }
  return course;
}
