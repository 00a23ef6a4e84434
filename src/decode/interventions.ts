// Interventions of an inspection: parts that are switched off (ablation) and activations that come from another
// sentence (activation patching, Vig et al., 2020; Meng et al., 2022). This file reads the options; the numbers are
// replaced at the points of the graph.

import { check } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { msg, option } from '../core/message.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Activations, PlaceChange, PointLevel, Replacement } from './inspection-points.ts';
import { type ModelPart, type PlacedPart, placedParts } from './model-parts.ts';

/** A part that is switched off. */
export interface Ablation {
  readonly part: ModelPart;
  /**
   * What replaces its activation: zeros, or the mean of the activation over all tokens of `meanOf`. A layer that is off
   * by `zero` passes on what it reads. ['zero']
   */
  readonly by?: 'zero' | 'mean';
  /** Numbers of the tokens at which it is off, from 0; the start token of the target is 0. [all tokens] */
  readonly tokens?: readonly number[];
  /**
   * For an attention or a head: it is not off, but does not see these tokens: source tokens for cross-attention. The
   * probabilities of the others sum to 1; a token that sees no other gets zeros.
   */
  readonly keys?: readonly number[];
}

/** A part whose activation is that of another sentence. */
export interface Patch {
  readonly part: ModelPart;
  /** The other source text. */
  readonly from: string;
  /** The other target: text, or ids without start and end token. [the greedy translation of `from`] */
  readonly fromTarget?: string | readonly number[];
  /** Numbers of the tokens whose activation is replaced, from 0. [all tokens] */
  readonly tokens?: readonly number[];
  /** For each of `tokens` the token of the other sentence. [`tokens`] */
  readonly fromTokens?: readonly number[];
}

/** The interventions of an inspection. */
export interface Interventions {
  /** Parts that are switched off; a name stands for `{ part: name }`. [none] */
  readonly ablate?: readonly (ModelPart | Ablation)[];
  /** Parts whose activation is that of another sentence; they come after the ablations. [none] */
  readonly patch?: readonly Patch[];
  /** Texts over whose tokens means are taken, with their greedy translations. [the text itself, with its target] */
  readonly meanOf?: readonly string[];
}

/** An activation that changes need: which, and of what. */
export interface NeededActivation {
  readonly level: PointLevel;
  readonly place: string;
  /** The means of all texts, or the activation of a pair. */
  readonly of: 'mean' | { readonly from: string; readonly fromTarget?: Patch['fromTarget'] };
}

/** A change that may need an activation. */
export interface PlannedChange {
  readonly change: Omit<PlaceChange, 'by'>;
  readonly needs?: NeededActivation;
  /** The change with the activation. Throws a HeddleError if it has too few rows. */
  complete(found?: Activations): PlaceChange;
}

/** Level of the activation of a part. */
const levelOf = ({ place, sublayer, isLayer, isHead }: PlacedPart): PointLevel => {
  if (isHead) return 'heads';
  if (sublayer !== undefined) return 'sublayer';
  if (isLayer) return 'layer';
  return place.endsWith('embedding') ? 'embedding' : 'output';
};

const area = 'inspect';

function checkTokens(name: string, tokens: readonly number[] | undefined): void {
  const wrong = tokens?.find((t) => !(Number.isInteger(t) && t >= 0));
  check(wrong === undefined, () => msg`${option(name)} has ${String(wrong)}; they are whole numbers from 0`, {
    area,
  });
}

/** The changes of an ablation. */
function ablationChanges(c: ModelConfig, given: ModelPart | Ablation): PlannedChange[] {
  const ablation: Ablation = typeof given === 'string' ? { part: given } : given;
  checkNames({ area: 'inspect.ablate' }, ['part', 'by', 'tokens', 'keys'], Object.keys(ablation));
  const { part, by = 'zero', tokens, keys } = ablation;
  check(by === 'zero' || by === 'mean', () => msg`${option('by')} is ${String(by)}; it is zero or mean`, {
    area,
  });
  checkTokens('tokens', tokens);
  checkTokens('keys', keys);
  return placedParts(c, part).map((placed): PlannedChange => {
    const { place, heads, isLayer } = placed;
    const change = { place, tokens, heads };
    if (keys) {
      check(
        heads && by === 'zero',
        () => msg`${option('keys')} need an attention or a head, and no mean; the part is ${part}`,
        { area },
      );
      const masked: PlaceChange = { ...change, level: 'keys', keys };
      return { change: masked, complete: () => masked };
    }
    if (by === 'zero') {
      const off: PlaceChange = { ...change, level: isLayer ? 'skip' : levelOf(placed) };
      return { change: off, complete: () => off };
    }
    const replaced = { ...change, level: levelOf(placed) };
    return {
      change: replaced,
      needs: { level: replaced.level, place, of: 'mean' },
      complete: (found) => ({ ...replaced, by: { data: (found as Activations).data, rowOf: () => 0 } }),
    };
  });
}

/** The changes of a patch. */
function patchChanges(c: ModelConfig, patch: Patch): PlannedChange[] {
  checkNames(
    { area: 'inspect.patch' },
    ['part', 'from', 'fromTarget', 'tokens', 'fromTokens'],
    Object.keys(patch),
  );
  const { part, from, fromTarget, tokens, fromTokens = tokens } = patch;
  check(typeof from === 'string', () => msg`${option('from')} must be a text, not ${String(from)}`, { area });
  checkTokens('tokens', tokens);
  checkTokens('fromTokens', fromTokens);
  check(
    tokens?.length === fromTokens?.length,
    () => msg`${option('fromTokens')} must have as many numbers as ${option('tokens')}`,
    { area },
  );
  return placedParts(c, part).map((placed): PlannedChange => {
    const change = { place: placed.place, tokens, heads: placed.heads, level: levelOf(placed) };
    const complete = (found?: Activations): PlaceChange => {
      const { data, rows } = found as Activations;
      const late = fromTokens?.find((t) => t >= rows);
      check(
        late === undefined,
        () => msg`${option('fromTokens')} has ${late ?? 0}, the sentence has ${rows} tokens`,
        {
          area,
        },
      );
      const rowOf: Replacement['rowOf'] = (t) => {
        const row = tokens ? fromTokens?.[tokens.indexOf(t)] : t;
        return row !== undefined && row < rows ? row : undefined;
      };
      return { ...change, by: { data, rowOf } };
    };
    return {
      change,
      needs: { level: change.level, place: placed.place, of: { from, fromTarget } },
      complete,
    };
  });
}

/** The changes of all interventions, in order. Throws a HeddleError for an invalid one. */
export const plannedChanges = (
  c: ModelConfig,
  { ablate = [], patch = [] }: Interventions,
): PlannedChange[] => [
  ...ablate.flatMap((ablation) => ablationChanges(c, ablation)),
  ...patch.flatMap((one) => patchChanges(c, one)),
];

/**
 * Throws a HeddleError if a change names a token that its sentence does not have. Tokens of a target that is still being
 * generated may come later.
 */
export function checkPlaces(
  changes: readonly PlaceChange[],
  source: number,
  target: number | undefined,
): void {
  const fits = (name: string, numbers: readonly number[] | undefined, length: number | undefined) => {
    const late = numbers?.find((t) => length !== undefined && t >= length);
    check(
      late === undefined,
      () => msg`${option(name)} has ${late ?? 0}, the sentence has ${length ?? 0} tokens`,
      {
        area,
      },
    );
  };
  for (const { place, tokens, keys } of changes) {
    fits('tokens', tokens, place.startsWith('encoder.') ? source : target);
    fits('keys', keys, place.startsWith('decoder.') && place.endsWith('.self') ? target : source);
  }
}

/** The mean of the rows of activations: [1, columns]. */
export function meanOf(all: readonly Activations[]): Activations {
  const [first] = all as [Activations, ...Activations[]];
  const columns = first.data.length / first.rows;
  const rows = all.reduce((n, one) => n + one.rows, 0);
  const sums = new Float64Array(columns);
  for (const { data } of all)
    for (const [i, x] of data.entries()) sums[i % columns] = (sums[i % columns] ?? 0) + x;
  return { ...first, rows: 1, data: Float32Array.from(sums, (x) => x / rows) };
}
