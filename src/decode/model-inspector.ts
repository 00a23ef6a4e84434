// Inspects pairs with a model on an engine: an inspector (inspector.ts) for each shape, with labels of the tokens, likely
// next tokens and losses.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { Memo } from '../core/memo.ts';
import { msg, option } from '../core/message.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { growsPositions } from '../model/positions.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';
import { type DecodeOptions, decodeSettings, type ModelRules, withModelRules } from './decode-options.ts';
import { greedyChoice } from './greedy-choice.ts';
import type { Inspection, InspectOptions } from './inspection.ts';
import type { InspectorOptions } from './inspection-graph.ts';
import type { Activations, PlaceChange, PointLevel } from './inspection-points.ts';
import { Inspector, type RawInspection } from './inspector.ts';
import { checkPlaces, meanOf, type Patch, plannedChanges } from './interventions.ts';
import type { ModelPart } from './model-parts.ts';

/**
 * The `count` most likely tokens after each of the target tokens, from logits [T, V] divided by the
 * temperature; softmax in float64.
 */
export const likelyTokens = (
  logits: Float32Array,
  vocabulary: number,
  count = 5,
  temperature = 1,
): { id: number; probability: number; logit: number }[][] =>
  Array.from({ length: logits.length / vocabulary }, (_, t) => {
    const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = row.reduce((sum, x) => sum + Math.exp((x - max) / temperature), 0);
    const best: number[] = [];
    for (let id = 0; id < vocabulary; id++) {
      const at = best.findIndex((other) => (row[id] as number) > (row[other] as number));
      if (at >= 0) best.splice(at, 0, id);
      else if (best.length < count) best.push(id);
      if (best.length > count) best.pop();
    }
    return best.map((id) => ({
      id,
      probability: Math.exp(((row[id] as number) - max) / temperature) / total,
      logit: row[id] as number,
    }));
  });

/** The parts of a model that its inspection uses. */
interface InspectedModel {
  readonly config: ModelConfig;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  readonly decode?: ModelRules;
}

/** What a call needs of the model behind it. */
export interface InspectionHost {
  /** Puts the weights on the engine when a plan is made; `peak`: its bytes. */
  upload?(peak: number): Promise<void>;
  /** The ids of a source text, with the end token. */
  encode?(text: string): Promise<readonly number[]>;
  /** The decoding options that come from languages. */
  readonly decode?: DecodeOptions;
}

const padded = (n: number, max: number, step = 8): number => Math.min(max, step * Math.ceil(n / step));

/** The options of `inspect`. */
const optionNames: readonly (keyof InspectOptions)[] = [
  'target',
  'tensors',
  'likely',
  'temperature',
  'lens',
  'ablate',
  'patch',
  'meanOf',
];

/** A pair of ids, without the start token of the target. */
interface InspectedPair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** Changes of a run with their levels. */
interface RunChanges {
  readonly changes: readonly PlaceChange[];
  readonly levels: readonly PointLevel[];
}

const unchanged: RunChanges = { changes: [], levels: [] };

const unique = <T>(all: readonly T[]): T[] => [...new Set(all)];

/** Inspects pairs of ids with a model on an engine; its plans are made at the first use of each shape. */
export class ModelInspector {
  readonly #engine: Engine;
  readonly #model: InspectedModel;
  readonly #parameters: ParameterList;
  readonly #inspectors = new Memo<InspectorOptions, Inspector>();
  /** The last greedy translation, which the next one begins as. */
  #last: { readonly key: string; readonly ids: readonly number[] } | undefined;

  constructor(engine: Engine, model: InspectedModel, parameters: ParameterList) {
    this.#engine = engine;
    this.#model = model;
    this.#parameters = parameters;
  }

  /**
   * Inspects a pair; without a target, the greedy translation under the interventions. Throws a HeddleError for an
   * invalid option or id.
   */
  async inspect(
    sourceIds: readonly number[],
    given: readonly number[] | undefined,
    options: InspectOptions = {},
    host: InspectionHost = {},
  ): Promise<Inspection> {
    const { tensors = false, likely = 5, temperature = 1, lens = false } = options;
    checkNames({ area: 'inspect' }, optionNames, Object.keys(options));
    check(temperature > 0, msg`temperature is ${temperature}; it must be above 0`, { area: 'inspect' });
    const { config, source, target } = this.#model;
    const changes = await this.#changes(sourceIds, given, options, host);
    checkPlaces(changes.changes, sourceIds.length, given && given.length + 1);
    const targetIds = given ?? (await this.#greedy(sourceIds, changes, host));
    const raw = await this.#run({ source: sourceIds, target: targetIds }, changes, host, { tensors, lens });
    const label = (tokenizer: Tokenizer) => (id: number) =>
      id < 0
        ? { id, label: '(start)', spaced: false }
        : {
            id,
            label: tokenLabel(tokenizer, id),
            spaced: /^[▁Ġ ]./su.test(tokenizer.token(id)), // marks of SentencePiece and of byte-level BPE
          };
    const followers = [...targetIds, config.endId];
    const read = (logits: Float32Array) => ({
      next: likelyTokens(logits, config.tgtVocab, likely, temperature).map((list) =>
        list.map(({ id, ...scores }) => ({ ...label(target)(id), ...scores })),
      ),
      loss: followers.map((id, t) =>
        lossOf(logits.subarray(t * config.tgtVocab, (t + 1) * config.tgtVocab), id),
      ),
    });
    const rows = Math.max(sourceIds.length, targetIds.length + 1);
    const sines = tensors && config.positions === 'sinusoidal' ? await this.#sines(rows) : undefined;
    return {
      source: sourceIds.map(label(source)),
      target: [host.decode?.decoderStartTokenId ?? config.startId, ...targetIds].map(label(target)),
      targetText: target.decode(targetIds),
      attention: raw.attention,
      gates: raw.gates,
      ...read(raw.logits),
      tensors: raw.tensors,
      positions: raw.positions ?? sines,
      learnedPositions: raw.positions ? true : undefined,
      lens: lens
        ? raw.lens.map(({ place, logits }) => ({ part: place as ModelPart, ...read(logits) }))
        : undefined,
    };
  }

  /** The changes of a call, with the activations that they need. */
  async #changes(
    source: readonly number[],
    target: readonly number[] | undefined,
    { meanOf: texts, ...options }: InspectOptions,
    host: InspectionHost,
  ): Promise<RunChanges> {
    const planned = plannedChanges(this.#model.config, options);
    if (planned.length === 0) return unchanged;
    const needed = planned.flatMap(({ needs }) => needs ?? []);
    const recorded = unique(needed.map(({ level }) => level));
    const read = new Map<string, readonly Activations[]>();
    /** The activations of pairs, one after the other. */
    const recordOf = async (pair: InspectedPair) =>
      (await this.#run(pair, unchanged, host, { recorded })).activations;
    const own = async () => ({ source, target: target ?? (await this.#greedy(source, unchanged, host)) });
    const other = async (text: string, given?: Patch['fromTarget']): Promise<InspectedPair> => {
      check(host.encode, 'there is no tokenizer for other texts', { area: 'inspect' });
      const ids = await host.encode(text);
      const known = typeof given === 'string' ? this.#model.target.encode(given) : given;
      return { source: ids, target: known ?? (await this.#greedy(ids, unchanged, host)) };
    };
    for (const { of } of needed) {
      const key = JSON.stringify(of);
      if (read.has(key)) continue;
      const pairs: InspectedPair[] = [];
      if (of !== 'mean') pairs.push(await other(of.from, of.fromTarget));
      else if (texts === undefined) pairs.push(await own());
      else for (const text of texts) pairs.push(await other(text));
      check(pairs.length > 0, msg`${option('meanOf')} has no text`, { area: 'inspect' });
      const all: Activations[] = [];
      for (const pair of pairs) all.push(...(await recordOf(pair)));
      read.set(key, all);
    }
    const changes = planned.map(({ needs, complete }) => {
      if (!needs) return complete();
      const found = read
        .get(JSON.stringify(needs.of))
        ?.filter(({ level, place }) => level === needs.level && place === needs.place) as Activations[];
      return complete(needs.of === 'mean' ? meanOf(found) : found[0]);
    });
    const levels = unique(changes.map(({ level }) => level));
    // A token that sees no key any more gets zeros as heads.
    return { changes, levels: levels.includes('keys') ? unique([...levels, 'heads']) : levels };
  }

  /**
   * The greedy translation under changes. Each run chooses a token after each token of a draft; the draft is the
   * translation as soon as it does not change, and after n runs its first n tokens are right (Jacobi decoding, Santilli
   * et al., 2023). The draft begins as the last translation of the source.
   */
  async #greedy(
    source: readonly number[],
    changes: RunChanges,
    host: InspectionHost,
  ): Promise<readonly number[]> {
    const { config, decode = {} } = this.#model;
    const { tgtVocab: V, endId } = config;
    if (source.length < 2) return [];
    const maxLength = growsPositions(config)
      ? Math.max(config.maxLength, 2 * source.length)
      : config.maxLength;
    const rules = withModelRules(decode, { ...host.decode, method: 'greedy', beams: 1 }, maxLength);
    const settings = decodeSettings(rules, config, maxLength);
    const { maxLengthFactor: factor, maxNewTokens } = settings;
    // The decoder reads the start token and all tokens but the last.
    const limit = Math.min(
      maxNewTokens,
      maxLength - 1,
      factor > 0 ? Math.max(1, Math.ceil(factor * source.length)) : Number.POSITIVE_INFINITY,
    );
    const key = source.join();
    let draft = this.#last?.key === key ? this.#last.ids.slice(0, limit) : [];
    for (;;) {
      const { logits } = await this.#run({ source, target: draft }, changes, host, { step: 16 });
      const read = [settings.startId, ...draft];
      const next: number[] = [];
      for (let t = 0; t < read.length && next.length < limit; t++) {
        const row = logits.subarray(t * V, (t + 1) * V);
        const id = greedyChoice(row, read.slice(0, t + 1), settings, endId);
        if (id === endId) break;
        next.push(id);
      }
      if (next.join() === draft.join()) break;
      draft = next;
    }
    this.#last = { key, ids: draft };
    return draft;
  }

  /** Runs the model over a pair. `step`: of the lengths that plans are made for. */
  async #run(
    { source, target }: InspectedPair,
    { changes, levels }: RunChanges,
    host: InspectionHost,
    options: {
      readonly tensors?: boolean;
      readonly lens?: boolean;
      readonly recorded?: readonly PointLevel[];
      readonly step?: number;
    } = {},
  ): Promise<RawInspection> {
    const { config } = this.#model;
    const { tensors = false, lens, recorded = [], step } = options;
    const maxLength = growsPositions(config) ? Number.POSITIVE_INFINITY : config.maxLength;
    const points = levels.length + recorded.length > 0;
    const shape: InspectorOptions = {
      source: padded(source.length, maxLength, step),
      target: padded(target.length + 1, maxLength, step),
      tensors,
      lens: lens || undefined,
      points: points ? { replaced: [...levels].sort(), recorded: [...recorded].sort() } : undefined,
    };
    const inspector = await this.#inspectors.get(shape, () =>
      Inspector.open(this.#engine, config, this.#parameters, shape),
    );
    await host.upload?.(inspector.peak);
    return inspector.inspect(source, target, host.decode?.decoderStartTokenId, changes);
  }

  /** The first `rows` rows of the sinusoidal positions. */
  async #sines(rows: number): Promise<Float32Array> {
    const { positionOffset, dModel } = this.#model.config;
    const { data } = await this.#engine.read('positions');
    return (data as Float32Array).slice(positionOffset * dModel, (positionOffset + rows) * dModel);
  }
}

/** Cross-entropy of one row of logits [V] with the target `id`, in nats. */
function lossOf(row: Float32Array, id: number): number {
  const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) - (row[id] as number);
}
