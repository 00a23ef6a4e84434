// The probe of a run: records the attention, the gates of SSRUs and the most probable next tokens for one pair while
// the model learns.

import { check } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import type { InspectedToken, Inspection } from '../../decode/inspection.ts';
import { ModelInspector } from '../../decode/model-inspector.ts';
import type { TextModel } from '../../decode/translator.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ParameterList } from '../../model/parameter-layout.ts';
import type { Pair, PairList } from '../../text/corpus/pairs.ts';
import { SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import type { LogProbe } from '../report/training-log.ts';
import type { Pause } from './loop.ts';

/** Maximum fraction of the training time that records take, the last one included. */
const maxShare = 0.03;

/** Options of a probe. */
export interface ProbeOptions {
  /** SOURCE, a tab, TARGET; or `dev`: the dev pair with about ten tokens, or the first training pair. */
  readonly probe: string;
  /** Record every N steps, or less often because of `maxShare`. */
  readonly every: number;
  /** Returns milliseconds. [performance.now] */
  readonly now?: () => number;
  readonly dev: PairList;
  /** The first training pairs. */
  readonly train: readonly Pair[];
  readonly step: () => number;
  /** Runs `work` while the engine has the weights of the model. */
  onModel<T>(work: () => Promise<T>): Promise<T>;
  onRecord(record: LogProbe): void;
}

/** Wanted number of tokens of the pair, if it is a dev pair. */
const wantedTokens = 10;

/** The pair of the probe. Throws a HeddleError if the text has no tab. */
function probePair(
  { probe, dev, train }: Pick<ProbeOptions, 'probe' | 'dev' | 'train'>,
  { source, target }: Pick<TextModel, 'source' | 'target'>,
): Pair {
  if (probe !== 'dev') {
    const [text = '', translation = ''] = probe.split('\t');
    check(
      translation !== '',
      msg`${option('probe')} (${JSON.stringify(probe)}) must be a source, a tab and a target, or dev`,
      { area: 'train' },
    );
    return { source: text, target: translation };
  }
  const tokens = (pair: Pair) =>
    Math.max(source.encode(pair.source).length, target.encode(pair.target).length);
  const distance = (pair: Pair) => Math.abs(tokens(pair) - wantedTokens);
  const first = Array.from({ length: Math.min(50, dev.length) }, (_, i) => dev.at(i) as Pair);
  const candidates = first.length > 0 ? first : train.slice(0, 1);
  return candidates.reduce((best, pair) => (distance(pair) < distance(best) ? pair : best));
}

/** Records the probe: as a pause, and once before the first step. */
export class Probe implements Pause {
  readonly #options: ProbeOptions;
  readonly #inspect: () => Promise<Inspection>;
  readonly #now: () => number;
  /** Seconds of all records, and of the longest. */
  #spent = 0;
  #longest = 0;
  /** Step of the last record. */
  #last = -1;

  private constructor(options: ProbeOptions, inspect: () => Promise<Inspection>) {
    this.#options = options;
    this.#inspect = inspect;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Creates a probe and makes its first record. */
  static async open(
    engine: Engine,
    model: TextModel,
    parameters: ParameterList,
    options: ProbeOptions,
  ): Promise<Probe> {
    const { config, source, target } = model;
    const pair = probePair(options, model);
    const ids = [...source.encode(pair.source), source.special.end].slice(0, config.maxLength);
    const read = target.encode(pair.target).slice(0, config.maxLength - 1);
    const inspector = new ModelInspector(engine, model, parameters);
    const probe = new Probe(options, () => options.onModel(() => inspector.inspect(ids, read)));
    await probe.#inspect(); // compiles the plan, as training does before its clock starts
    await probe.#record(0);
    return probe;
  }

  due(trained: number): boolean {
    // Leave time for the record after the last step, and for a record that takes twice as long as the longest
    // so far.
    return this.#options.step() % this.#options.every === 0 && this.#fits(3, trained);
  }

  async pause(_skipped: number, final: boolean, trained: number): Promise<void> {
    if (this.#last !== this.#options.step() && (!final || this.#fits(2, trained)))
      await this.#record(trained);
  }

  async #record(trained: number): Promise<void> {
    const { step, onRecord } = this.#options;
    const begin = this.#now();
    const inspection = await this.#inspect();
    const share = trained > 0 && (this.#spent + (this.#now() - begin) / 1000) / trained;
    onRecord(recordOf(step(), inspection, share || 0));
    const took = (this.#now() - begin) / 1000;
    this.#spent += took;
    this.#longest = Math.max(this.#longest, took);
    this.#last = step();
  }

  /** Whether `more` records as long as the longest so far fit in the share of `trained` seconds. */
  #fits(more: number, trained: number): boolean {
    return this.#spent + more * this.#longest <= maxShare * trained;
  }
}

/** Numbers from 0 to 1 as bytes (255 is 1) in base64. */
const encoded = (values: Float32Array): string =>
  btoa(Array.from(values, (x) => String.fromCharCode(Math.round(255 * x))).join(''));

/** Label of a token; one that begins a word has the mark of SentencePiece before it. */
const marked = ({ label, spaced }: InspectedToken): string =>
  spaced && !label.startsWith(SPACE_MARK) ? SPACE_MARK + label : label;

/** A record of the log. */
const recordOf = (
  step: number,
  { source, target, attention, gates, next }: Inspection,
  share: number,
): LogProbe => ({
  type: 'probe',
  step,
  share: Number(share.toFixed(4)),
  source: source.map(marked),
  target: target.map(marked),
  attention: attention.map(({ kind, layer, heads, weights }) => ({
    kind,
    layer,
    heads,
    weights: encoded(weights),
  })),
  gates:
    gates.length === 0
      ? undefined
      : gates.map(({ layer, channels, gates: values }) => ({ layer, channels, values: encoded(values) })),
  next: next.map((tokens) =>
    tokens.map((token) => [marked(token), Number(token.probability.toFixed(4))] as const),
  ),
});
