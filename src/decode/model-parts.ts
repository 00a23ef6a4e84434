// The parts of a model by name, for inspections that switch them off or replace them: `decoder.1.cross.2` is head 2 of
// the cross-attention of decoder layer 1.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import { type ModelConfig, type Stack, stackSizes } from '../model/model-config.ts';
import { decoderSelfAttention } from '../model/sublayers.ts';

/** Number of a layer or a head, from 0; `*`: each of them. */
type Index = number | '*';

/**
 * A part of a model. `decoder.embedding`: what the first layer reads, [T, D]. `decoder.1`: a layer; its activation is the
 * residual stream after it, [T, D]. `decoder.1.self`, `.cross` and `.feedForward`: a sublayer; its activation is what it
 * adds to the stream, [T, D]. `decoder.1.cross.2`: a head; its activation is its sum of values, [T, W]. `encoder.output`:
 * the memory, [S, D]. `*` in place of a number is each layer or head.
 */
export type ModelPart =
  | `${Stack}.${'embedding' | 'output'}`
  | `${Stack}.${Index}`
  | `${Stack}.${Index}.${'self' | 'feedForward'}`
  | `decoder.${Index}.cross`
  | `${Stack}.${Index}.self.${Index}`
  | `decoder.${Index}.cross.${Index}`;

/** A sublayer of a layer. */
export type SublayerKind = 'self' | 'cross' | 'feedForward';

/** A part without `*`. */
export interface PlacedPart {
  readonly stack: Stack;
  /** Where it is, without the head: `decoder.1.cross`. */
  readonly place: string;
  readonly sublayer?: SublayerKind;
  /** Whether it is a layer. */
  readonly isLayer: boolean;
  /** Heads of an attention, all of them if none is named; undefined if it has none. */
  readonly heads?: readonly number[];
  /** Whether a head is named. */
  readonly isHead: boolean;
}

const layersOf = (c: ModelConfig, stack: Stack): number =>
  stack === 'encoder' ? c.encoderLayers : c.decoderLayers;

/** Number of heads of a sublayer; 0 if it has none. */
function headCount(c: ModelConfig, stack: Stack, sublayer: SublayerKind | undefined): number {
  if (sublayer === undefined || sublayer === 'feedForward') return 0;
  if (sublayer === 'self' && stack === 'decoder' && !decoderSelfAttention(c).hasHeads) return 0;
  return stackSizes(c, stack).heads;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The numbers that an index stands for; none if there is no such layer or head. */
const indices = (index: string, count: number): number[] =>
  index === '*' ? range(count) : range(count).filter((n) => String(n) === index);

/** The parts that a name stands for. Throws a HeddleError if the model has none. */
export function placedParts(c: ModelConfig, name: string): PlacedPart[] {
  const found =
    /^(encoder|decoder)\.(?:(embedding|output)|(\d+|\*)(?:\.(self|cross|feedForward)(?:\.(\d+|\*))?)?)$/.exec(
      name,
    );
  const [, stackName = '', end, layer = '', sublayer, head] = found ?? [];
  const stack = stackName as Stack;
  const parts: PlacedPart[] = [];
  if (end !== undefined) parts.push({ stack, place: `${stack}.${end}`, isLayer: false, isHead: false });
  for (const n of found ? indices(layer, layersOf(c, stack)) : []) {
    const kind = sublayer as SublayerKind | undefined;
    if (kind === 'cross' && stack === 'encoder') continue;
    const count = headCount(c, stack, kind);
    const heads = indices(head ?? '*', count);
    if (head !== undefined && heads.length === 0) continue;
    parts.push({
      stack,
      place: kind === undefined ? `${stack}.${n}` : `${stack}.${n}.${kind}`,
      sublayer: kind,
      isLayer: kind === undefined,
      heads: count > 0 ? heads : undefined,
      isHead: head !== undefined,
    });
  }
  check(parts.length > 0, () => msg`the model has no part ${name}; examples of parts are ${examplesOf(c)}`, {
    area: 'inspect',
  });
  return parts;
}

/** Names of some parts, for a message. */
const examplesOf = (c: ModelConfig): string => {
  const parts = modelParts(c);
  const last = (end: RegExp) => parts.filter((part) => end.test(part)).at(-1);
  return [/embedding$/, /^decoder\.\d+$/, /feedForward$/, /cross\.\d+$/].map(last).join(', ');
};

/**
 * All parts of a model in the order in which they compute: embeddings, heads before their sublayer, sublayers before
 * their layer, and the outputs of the stacks.
 *
 * @example
 * const heads = modelParts(model.config).filter((part) => /(self|cross)\.\d+$/.test(part));
 */
export function modelParts(c: ModelConfig): ModelPart[] {
  const parts: ModelPart[] = [];
  for (const stack of ['encoder', 'decoder'] as const) {
    parts.push(`${stack}.embedding`);
    const kinds =
      stack === 'encoder' ? (['self', 'feedForward'] as const) : (['self', 'cross', 'feedForward'] as const);
    for (const n of range(layersOf(c, stack))) {
      for (const kind of kinds) {
        for (const h of range(headCount(c, stack, kind)))
          parts.push(`${stack}.${n}.${kind}.${h}` as ModelPart);
        parts.push(`${stack}.${n}.${kind}` as ModelPart);
      }
      parts.push(`${stack}.${n}`);
    }
    parts.push(`${stack}.output`);
  }
  return parts;
}
