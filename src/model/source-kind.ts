// The kind of source that a model reads. Most models read token ids; a guest brings another kind, such as frames of
// speech. A parameter list carries the kind, so that it is known wherever a graph is built or a program is filled.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { TensorData } from '../core/tensor.ts';
import type { Graph } from '../engine/graph/graph.ts';
import type { Value } from '../engine/ops/op.ts';
import { fillLengths } from '../text/batches/row-lengths.ts';
import { embed, type Tokens } from './embed-tokens.ts';
import type { ModelConfig } from './model-config.ts';
import type { Scope } from './scope.ts';

/** What the encoder reads, as inputs of a graph. */
export interface Source extends Omit<Tokens, 'ids'> {
  /** Token ids i32 [B, S], or what another kind has in their place. */
  readonly input: Value;
}

/** Adds parameters of a source to the list of a model. */
export interface ParameterDrafts {
  /** A table `module.weight` with a row of dModel numbers for each token. */
  embedding(module: string, rows: number): void;
  /** A matrix `module.weight`. */
  matrix(module: string, shape: readonly number[]): void;
  /** A bias `module.bias` of `size` numbers, which are zero at first. */
  zeroBias(module: string, size: number): void;
}

/** What the files of a model say beside its configuration for a kind of source, such as the tokens of its prompts. */
export interface SourceFacts {
  /** Which facts they are, for the guest that reads them. */
  readonly kind: string;
  /** What they force, by the fields of generation_config.json that state the same, such as language and task. */
  readonly stated?: Readonly<Record<string, string>>;
}

/** A kind of source. */
export interface SourceKind {
  /** Its name: `source` of the configuration. */
  readonly name: ModelConfig['source'];
  /** The functions that open models with it, for errors: `loadModel of heddle`. */
  readonly openedBy: string;
  /**
   * Whether the encoder of a single short source is a program of its own, without the padding to the longest source.
   */
  readonly hasShortPrograms: boolean;
  /** Checks the fields of a configuration that are for this kind. Throws a HeddleError that names the field. */
  check(c: ModelConfig): void;
  /** Adds the parameters between source and encoder, except positions. */
  parameters(c: ModelConfig, drafts: ParameterDrafts): void;
  /**
   * Computes the table of the positions of the encoder [maxSource, D], of a configuration with learned positions that
   * this kind does not train; undefined if they are trained.
   */
  fixedPositions?(c: ModelConfig): (() => Float32Array) | undefined;
  /** Maximum length of a source. */
  maxLength(c: ModelConfig): number;
  /** Length of a source: the number of its tokens. */
  lengthOf(c: ModelConfig, source: ArrayLike<number>): number;
  /** Number of positions of the encoder for a source of some length. */
  positions(c: ModelConfig, length: number): number;
  /** Adds the inputs for B sources of at most S tokens to a graph. `trains`: with what only a backward pass reads. */
  input(graph: Graph, c: ModelConfig, B: number, S: number, trains?: boolean): Source;
  /** What the first layer of the encoder reads: [B, positions, D]. */
  embed(model: Scope, source: Source): Value;
  /** Fills the inputs of a program with sources, from the first row on; the other rows are empty. */
  fill(
    c: ModelConfig,
    inputs: Readonly<Record<string, TensorData>>,
    sources: readonly ArrayLike<number>[],
  ): void;
}

/** Sources of token ids. */
export const tokens: SourceKind = {
  name: 'tokens',
  openedBy: 'loadModel of heddle',
  hasShortPrograms: true,
  check() {},
  parameters: (c, drafts) => drafts.embedding('src_embed', c.srcVocab),
  maxLength: (c) => c.maxSource,
  lengthOf: (_c, source) => source.length,
  positions: (_c, length) => length,
  input(graph, c, B, S, trains) {
    const { ids, ...more } = tokenInput(graph, 'src', 'src', B, S, trains ? c.srcVocab : undefined);
    return { input: ids, ...more };
  },
  embed: ({ model }, { input, ...more }) => embed(model, 'src', { ids: input, ...more }),
  fill(c, { src, srcLens }, sources) {
    if (!src || !srcLens) throw new Error('source: the program has no input for tokens');
    const length = src.length / srcLens.length;
    src.fill(c.padId);
    for (const [b, ids] of sources.entries()) src.set(ids, b * length);
    fillLengths(srcLens, src, length, c.hidePadding ? c.padId : -1, c.srcVocab, 'source');
    // Hugging Face's models may attend to a padding token inside a source.
    if (!c.hidePadding) for (const b of srcLens.keys()) srcLens[b] = sources[b]?.length ?? 0;
  },
};

/** Adds token ids of B rows of T tokens and their lengths to a graph; with `vocab` also their index for training. */
export function tokenInput(
  graph: Graph,
  side: 'src' | 'tgt',
  name: string,
  B: number,
  T: number,
  vocab?: number,
): Tokens {
  return {
    ids: graph.input(name, 'i32', [B, T]),
    lengths: graph.input(`${side}Lens`, 'u32', [B]),
    index:
      vocab === undefined
        ? undefined
        : {
            rowStart: graph.input(`${side}RowStart`, 'u32', [vocab + 1]),
            occurrences: graph.input(`${side}Occurrences`, 'u32', [B * T]),
          },
  };
}

/** The kinds of sources that guests bring, by name. */
export type SourceKinds = Readonly<Record<string, () => Promise<SourceKind>>>;

/**
 * The kind of source of a configuration: tokens, or one of `kinds`. Throws a HeddleError if there is none, or a field
 * of the configuration does not fit it.
 */
export async function sourceKindOf(c: ModelConfig, kinds: SourceKinds = {}): Promise<SourceKind> {
  const kind = c.source === tokens.name ? tokens : await kinds[c.source]?.();
  if (!kind)
    throw new HeddleError(
      msg`The model reads ${c.source} instead of text, which is a feature that this program does not have: open it with the functions of heddle, of heddle/speech, or of an entry that brings all features`,
      { kind: 'unsupported' },
    );
  kind.check(c);
  return kind;
}
