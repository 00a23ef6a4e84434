// What the moving picture shows: numbers of one translation, taken from an inspection of a model or recorded.

import type { Inspection } from '../../src/entries/reports.ts';

/** A row of numbers for each token; of wide vectors the first ones. */
type Rows = readonly (readonly number[])[];

/** Attention of a layer: [head][query][key]. */
type Heads = readonly Rows[];

/** A layer of the encoder or the decoder. */
export interface SceneLayer {
  /** Absent if the decoder has something else in place of self-attention. */
  readonly self?: Heads;
  readonly cross?: Heads;
  /** The vectors after the layer. */
  readonly out: Rows;
}

/** A translation as the picture shows it. */
export interface Scene {
  readonly source: readonly string[];
  /** The translation as a text. */
  readonly text: string;
  /** What the decoder reads: the start token, then the translation. */
  readonly target: readonly string[];
  readonly encoder: {
    readonly embedding: Rows;
    readonly layers: readonly SceneLayer[];
    readonly memory: Rows;
  };
  readonly decoder: { readonly embedding: Rows; readonly layers: readonly SceneLayer[] };
  /** The likely tokens after each token of the target, best first. */
  readonly next: readonly (readonly (readonly [token: string, probability: number])[])[];
}

/** Numbers of a vector that are shown. */
const shown = 24;

/** Names of the tokens without a text. */
const ends: Readonly<Record<string, string>> = { '<s>': '[start]', '</s>': '[end]', '<pad>': '[start]' };

/** A token as a word; a piece inside a word has a dot before it. */
const wordOf = ({ label, spaced }: { readonly label: string; readonly spaced: boolean }): string =>
  ends[label] ?? (!spaced && /^\p{L}/u.test(label) ? `·${label}` : label.trim() || label);

/** The scene of an inspection with its tensors. */
export function sceneOf(found: Inspection): Scene {
  const rows = (name: string): Rows => {
    const tensor = found.tensors.find((one) => one.name === name || one.name.startsWith(`${name}.`));
    if (!tensor) return [];
    const [count = 0, width = 0] = tensor.shape;
    return Array.from({ length: count }, (_, t) => [
      ...tensor.data.subarray(t * width, t * width + Math.min(width, shown)),
    ]);
  };
  const firstOf = (...names: readonly string[]): Rows =>
    names.map(rows).find((found) => found.length > 0) ?? [];
  const heads = (kind: 'encoder' | 'decoder' | 'cross', layer: number): Heads | undefined => {
    const map = found.attention.find((one) => one.kind === kind && one.layer === layer);
    return (
      map &&
      Array.from({ length: map.heads }, (_, h) =>
        Array.from({ length: map.queries }, (_, q) => {
          const start = (h * map.queries + q) * map.keys;
          return [...map.weights.subarray(start, start + map.keys)];
        }),
      )
    );
  };
  const layersOf = (stack: 'encoder' | 'decoder', last: number): SceneLayer[] => {
    const count = found.attention.filter(
      ({ kind }) => kind === (stack === 'encoder' ? 'encoder' : 'cross'),
    ).length;
    return Array.from({ length: count }, (_, n) => {
      const place = `${stack}.layers.${n}`;
      return {
        self: heads(stack, n),
        cross: stack === 'decoder' ? heads('cross', n) : undefined,
        // The sum of a pre-norm model, or the norm of it in a post-norm model.
        out: firstOf(`${place}.norm${last}.layer_norm`, `${place}.add ${last}`, `${place}.norm${last}`),
      };
    });
  };
  const embedding = (stack: string) => firstOf(`${stack}.embed`);
  const encoder = layersOf('encoder', 2);
  return {
    source: found.source.map(wordOf),
    text: found.targetText,
    target: found.target.map(wordOf),
    encoder: {
      embedding: embedding('encoder'),
      layers: encoder,
      memory: firstOf('encoder.norm', `encoder.layers.${encoder.length - 1}.norm2`),
    },
    decoder: { embedding: embedding('decoder'), layers: layersOf('decoder', 3) },
    next: found.next.map((list) =>
      list.slice(0, 4).map(({ probability, ...token }) => [wordOf(token), probability] as const),
    ),
  };
}

/** A scene in short: numbers with three digits, for a file. */
export const shortScene = (scene: Scene): string =>
  JSON.stringify(scene, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(3)) : value));
