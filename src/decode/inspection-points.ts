// The points of an inspection in a graph: what it reads, and what it replaces by data of a run. The inspector makes
// them only for inspections with interventions, activations or a lens.

import { dim, sizeOf } from '../core/tensor.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { AttentionAttrs } from '../engine/ops/attention/attention-layout.ts';
import { attentionWeights } from '../engine/ops/attention/attention-weights.ts';
import { weightedValues } from '../engine/ops/attention/weighted-values.ts';
import { masked } from '../engine/ops/decoding/next-token.ts';
import { intervene } from '../engine/ops/elementwise/intervene.ts';
import { softmax } from '../engine/ops/norm/softmax.ts';
import type { Value } from '../engine/ops/op.ts';
import type { AttentionInputs, Point, Points } from '../model/points.ts';

/**
 * A kind of place where something is read or replaced: a point, `skip`: a layer passes on what it reads, or `keys`: a
 * query of an attention does not see a key.
 */
export type PointLevel = Point | 'skip' | 'keys';

/** Which kinds of places an inspection has. */
export interface PointLevels {
  readonly replaced: readonly PointLevel[];
  readonly recorded: readonly PointLevel[];
}

/** What replaces an activation: row `rowOf(t)` of `data` [rows, columns] for token t. */
export interface Replacement {
  readonly data: Float32Array;
  readonly rowOf: (token: number) => number | undefined;
}

/** A change of a run at a place: all tokens, or some; of heads and keys some columns. */
export interface PlaceChange {
  readonly level: PointLevel;
  /** Such as `decoder.1.cross`. */
  readonly place: string;
  /** [all of them] */
  readonly tokens?: readonly number[];
  readonly heads?: readonly number[];
  /** Keys that the tokens do not see. */
  readonly keys?: readonly number[];
  /** [zeros] */
  readonly by?: Replacement;
}

/** An activation of a pair, by level and place. */
export interface Activations {
  readonly level: PointLevel;
  readonly place: string;
  /** [rows, columns]: a row for each token. */
  readonly data: Float32Array;
  readonly rows: number;
}

/** Numbers of tokens of a run. */
interface Lengths {
  readonly source: number;
  readonly target: number;
}

/** Names of the inputs of a place. */
const inputNames = (level: PointLevel, place: string) => ({
  amount: `amount ${level} ${place}`,
  value: `value ${level} ${place}`,
});

/** Name of the output of an activation. */
const activationName = (level: PointLevel, place: string): string => `activation ${level} ${place}`;

const sublayerNames: Readonly<Record<string, string>> = {
  self_attn: 'self',
  ssru: 'self',
  multihead_attn: 'cross',
};

/** Where a value is: `decoder.1.cross`. */
function placeOf(point: Point, { node }: Value): string {
  const { stack, layer, sublayer = '' } = node ?? {};
  if (point === 'embedding' || point === 'output') return `${stack}.${point}`;
  if (point === 'layer') return `${stack}.${layer}`;
  return `${stack}.${layer}.${sublayerNames[sublayer] ?? 'feedForward'}`;
}

/** A place where a graph replaces numbers. */
interface InterventionPlace {
  readonly level: PointLevel;
  readonly place: string;
  /** Number of tokens, with padding: those of a head, if the rows are the queries of all heads. */
  readonly tokens: number;
  /** Groups of columns that are replaced together, and numbers of each. */
  readonly groups: number;
  readonly width: number;
}

/** The points of an inspection. */
export class InspectionPoints implements Points {
  /** The residual stream of the decoder before the first layer and after each. */
  readonly stream: { readonly place: string; readonly value: Value }[] = [];
  readonly #graph: Graph;
  readonly #levels: PointLevels;
  readonly #places: InterventionPlace[] = [];
  readonly #recorded: { readonly level: PointLevel; readonly place: string; readonly columns: number }[] = [];

  constructor(graph: Graph, levels: PointLevels) {
    this.#graph = graph;
    this.#levels = levels;
  }

  at(point: Point, value: Value, input?: Value): Value {
    const place = placeOf(point, value);
    this.#record(point, place, value);
    const kept = point === 'layer' ? this.#replaced('skip', place, value, 1, input) : value;
    const after = this.#replaced(point, place, kept, 1);
    if (place.startsWith('decoder.') && (point === 'embedding' || point === 'layer'))
      this.stream.push({ place, value: after });
    return after;
  }

  heads({ q, kv, lens, bias }: AttentionInputs, attrs: AttentionAttrs, fused: () => Value): Value {
    const { heads, headWidth, scale, causal } = attrs;
    const self = q === kv;
    const out = () => {
      if (!this.#levels.replaced.includes('keys')) return fused();
      const scores = attentionWeights(
        this.#graph,
        q,
        kv,
        lens,
        { heads, headWidth, scale, self, scores: true },
        bias,
      );
      const seen = this.#replaced('keys', placeOf('heads', scores), scores, dim(scores, -1));
      return weightedValues(this.#graph, softmax(this.#graph, seen, { causal }, lens), kv, {
        heads,
        headWidth,
        self,
      });
    };
    const value = out();
    const place = placeOf('heads', value);
    this.#record('heads', place, value);
    return this.#replaced('heads', place, value, heads);
  }

  #record(level: PointLevel, place: string, value: Value): void {
    if (!this.#levels.recorded.includes(level)) return;
    this.#graph.output(activationName(level, place), value);
    this.#recorded.push({ level, place, columns: dim(value, -1) });
  }

  /** The value with what a run puts in its place, in `groups` groups of columns. */
  #replaced(level: PointLevel, place: string, x: Value, groups: number, by?: Value): Value {
    if (!this.#levels.replaced.includes(level)) return x;
    const names = inputNames(level, place);
    const rows = sizeOf(x.shape) / dim(x, -1);
    this.#places.push({ level, place, tokens: dim(x, -2), groups, width: dim(x, -1) / groups });
    const amount = this.#graph.input(names.amount, 'f32', [rows, groups]);
    return intervene(this.#graph, x, amount, by ?? this.#graph.input(names.value, 'f32', x.shape));
  }

  /**
   * Writes the changes of a run into the inputs of its program; later changes replace earlier ones. `lengths`: numbers
   * of tokens. A query that sees no key any more gets zeros.
   */
  write(inputs: Tensors, changes: readonly PlaceChange[], lengths: Lengths): void {
    const open = this.#places.map((place) => new OpenPlace(place, inputs));
    const find = (level: PointLevel, place: string) =>
      open.find(({ at }) => at.level === level && at.place === place) as OpenPlace;
    for (const change of changes) find(change.level, change.place).write(change);
    for (const keys of open.filter(({ at }) => at.level === 'keys')) {
      const { place } = keys.at;
      const isCausal = place.startsWith('decoder.') && place.endsWith('.self');
      const seen = (t: number) => (isCausal ? Math.min(t + 1, lengths.target) : lengths.source);
      for (const [head, tokens] of keys.blind(seen).entries())
        if (tokens.length > 0) find('heads', place).write({ level: 'heads', place, heads: [head], tokens });
    }
  }

  /** The recorded activations of a run, without padding. */
  read(outputs: Tensors, { source, target }: Lengths): Activations[] {
    return this.#recorded.map(({ level, place, columns }) => {
      const rows = place.startsWith('encoder.') ? source : target;
      const data = (outputs[activationName(level, place)] as Float32Array).slice(0, rows * columns);
      return { level, place, data, rows };
    });
  }
}

/** Tensors of a program by name. */
type Tensors = Readonly<Record<string, unknown>>;

/** A place with its inputs. */
class OpenPlace {
  readonly at: InterventionPlace;
  readonly #amount: Float32Array;
  /** Absent if the graph has what replaces the numbers. */
  readonly #value: Float32Array | undefined;

  /** The place, at which nothing is replaced yet. */
  constructor(at: InterventionPlace, inputs: Tensors) {
    const names = inputNames(at.level, at.place);
    this.at = at;
    this.#amount = (inputs[names.amount] as Float32Array).fill(0);
    this.#value = (inputs[names.value] as Float32Array | undefined)?.fill(at.level === 'keys' ? masked : 0);
  }

  write({ level, tokens = range(this.at.tokens), heads = [], keys = [], by }: PlaceChange): void {
    const { groups, tokens: length, width } = this.at;
    for (const t of tokens) {
      const row = by?.rowOf(t);
      // A target that is still being generated may be shorter.
      if (t >= length || (by && row === undefined)) continue;
      if (level === 'keys')
        for (const h of heads)
          for (const k of keys.filter((j) => j < groups)) this.#amount[(h * length + t) * groups + k] = 1;
      else
        for (const g of level === 'heads' ? heads : [0]) {
          const at = t * groups + g;
          const from = ((row ?? 0) * groups + g) * width;
          this.#amount[at] = 1;
          if (by) this.#value?.set(by.data.subarray(from, from + width), at * width);
          else this.#value?.fill(0, at * width, (at + 1) * width);
        }
    }
  }

  /** The tokens of each head that see none of their first `seen(t)` keys. */
  blind(seen: (token: number) => number): number[][] {
    const { groups, tokens } = this.at;
    const rows = this.#amount.length / groups;
    return range(rows / tokens).map((h) =>
      range(tokens).filter((t) => {
        const first = (h * tokens + t) * groups;
        return this.#amount.subarray(first, first + seen(t)).every((amount) => amount === 1);
      }),
    );
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
