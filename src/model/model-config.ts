// The configuration of an encoder-decoder transformer: defaults and checks, from the table of its fields.

import { HeddleError } from '../core/errors.ts';
import { checkFields, defaultsOf, describeType, type FieldNames, rejectField } from '../core/fields.ts';
import { type Message, msg, option } from '../core/message.ts';
import { withoutUndefined } from '../files/json-files.ts';
import { feedForwardType } from './feed-forward.ts';
import type { DropoutRates, ModelConfig } from './model-config-types.ts';
import { dropoutPlaces, maxPositions, modelFields, usualDropout } from './model-fields.ts';
import { positionKind } from './positions.ts';

export type { DropoutRates, ModelConfig } from './model-config-types.ts';

/** Whether source and target share one embedding. */
export const sharesEmbeddings = ({ tie }: Pick<ModelConfig, 'tie'>): boolean =>
  tie === 'all' || tie === 'embeddings';

/** The encoder or the decoder. */
export type Stack = 'encoder' | 'decoder';

/** Sizes of the layers of a stack. */
export type StackSizes = ReturnType<typeof stackSizes>;

/** Returns the sizes of the layers of a stack. */
export const stackSizes = (c: ModelConfig, stack: Stack) =>
  stack === 'encoder'
    ? {
        heads: c.heads,
        headWidth: c.headWidth,
        feedForward: c.feedForward,
        depth: c.feedForwardDepth,
      }
    : {
        heads: c.decoderHeads,
        headWidth: c.decoderHeadWidth,
        feedForward: c.decoderFeedForward,
        depth: c.decoderFeedForwardDepth,
      };

/** The layer, from 0, whose weights layer `n` of a stack has: its own, or the one that it is tied to. */
export const weightsLayer = (c: ModelConfig, stack: Stack, n: number): number =>
  stack === 'decoder' ? (c.decoderTiedLayers[n] ?? n + 1) - 1 : n;

/** A step beside a sub-layer: its letter in `sublayerSteps`, and what it does. */
const sublayerSteps = { d: 'dropout', n: 'norm', a: 'add' } as const;
/** A step before or after a sub-layer; `add` adds its input. */
export type SublayerStep = (typeof sublayerSteps)[keyof typeof sublayerSteps];

/** The steps before and after each sub-layer. */
export function stepsAround(c: Pick<ModelConfig, 'norm' | 'sublayerSteps'>): {
  readonly before: readonly SublayerStep[];
  readonly after: readonly SublayerStep[];
} {
  const [before = '', after = ''] = (c.sublayerSteps || (c.norm === 'pre' ? 'n:da' : ':dan')).split(':');
  const stepsOf = (letters: string) =>
    Array.from(letters, (letter) => sublayerSteps[letter as keyof typeof sublayerSteps]);
  return { before: stepsOf(before), after: stepsOf(after) };
}

/**
 * Options of `modelConfig`: the vocabulary sizes are required; `dropout` may be one rate, see `usualDropout`.
 */
export type ModelOptions = Partial<Omit<ModelConfig, 'dropout'>> &
  Pick<ModelConfig, 'srcVocab' | 'tgtVocab'> & { readonly dropout?: number | Partial<DropoutRates> };

const defaults = defaultsOf(modelFields);

/** Maximum number of parameters of a model. */
const maxParameters = 2 ** 32;

/**
 * Fills in defaults and validates a configuration. `label` names the fields in errors, if they come from a
 * file with other names. Throws a HeddleError that names the field, its value and the allowed values.
 */
export function modelConfig(options: ModelOptions, label?: FieldNames['label']): ModelConfig {
  // Fields of a model are no flags, although some have the name of one.
  const names: FieldNames = { area: 'config', label: label ?? ((field) => field), noun: 'field' };
  const given = withoutUndefined<unknown>({ ...options }) as ModelOptions;
  checkFields(names, modelFields, given);
  const merged = { ...defaults, ...given };
  const { dModel, heads, headWidth = dModel / heads, decoderHeads = heads } = merged;
  // A different number of heads divides dModel again; the same number has the encoder's width.
  const decoderHeadWidth = decoderHeads === heads ? headWidth : dModel / decoderHeads;
  const c: ModelConfig = {
    headWidth,
    decoderHeads,
    decoderHeadWidth,
    decoderFeedForward: merged.feedForward,
    decoderFeedForwardDepth: merged.feedForwardDepth,
    maxSource: merged.maxLength,
    ...merged,
    dropout: dropoutRates(names, given.dropout),
  };
  const fail = (field: keyof ModelConfig, wanted: Message | string) =>
    rejectField(names, field, c[field], wanted);
  for (const [count, width] of [
    ['heads', 'headWidth'],
    ['decoderHeads', 'decoderHeadWidth'],
  ] as const)
    if (given[width] === undefined && !Number.isInteger(c[width])) {
      const wanted = msg`a divisor of ${option('dModel')} ${dModel} if ${option(width)} is not given`;
      fail(count, label ? wanted : msg`${wanted}; use ${option(count, nearestDivisor(dModel, c[count]))}`);
    }
  checkFields(names, modelFields, c); // the fields whose defaults depend on others too
  for (const field of ['srcVocab', 'tgtVocab'] as const)
    if (c[field] === undefined) fail(field, describeType(modelFields[field].type));
  const minDistance = Math.floor(c.relativeBuckets / 2) + 1;
  if (c.relativeMaxDistance < minDistance)
    fail('relativeMaxDistance', msg`a whole number of at least ${minDistance}`);
  for (const field of ['padId', 'startId', 'endId'] as const)
    if (c[field] >= c.tgtVocab) fail(field, msg`below ${option('tgtVocab')} ${c.tgtVocab}`);
  if (c.padId >= c.srcVocab) fail('padId', msg`below ${option('srcVocab')} ${c.srcVocab}`);
  if (c.maxLength + c.positionOffset > maxPositions) fail('maxLength', msg`at most ${maxPositions}`);
  if (positionKind(c).skipsPadding && c.padId < 0) fail('padId', 'the id of a token for these positions');
  if (c.alignmentHead >= c.decoderHeads)
    fail('alignmentHead', msg`below ${option('decoderHeads')} ${c.decoderHeads}`);
  const { decoderTiedLayers: tied, decoderLayers } = c;
  if (tied.length > 0 && (tied.length !== decoderLayers || tied.some((n) => n > decoderLayers)))
    fail('decoderTiedLayers', msg`${decoderLayers} numbers from 1 to ${decoderLayers}`);
  const { depth } = feedForwardType(c);
  if (depth && (c.feedForwardDepth !== depth || c.decoderFeedForwardDepth !== depth))
    fail('feedForwardDepth', msg`${depth} if ${option('feedForwardType')} is ${c.feedForwardType}`);
  // Other kinds of sources check their own fields.
  if (c.source === 'tokens' && (c.stem !== 'none' || c.frameWidth > 0))
    fail('source', 'a kind with a stem, or leave stem and frameWidth out');
  checkSize(c);
  if (sharesEmbeddings(c) && c.srcVocab !== c.tgtVocab)
    fail(
      'tie',
      msg`none or target if ${option('srcVocab')} ${c.srcVocab} and ${option('tgtVocab')} ${c.tgtVocab} differ`,
    );
  return c;
}

/** The dropout rates of all places. */
function dropoutRates({ area, label }: FieldNames, dropout: ModelOptions['dropout'] = 0): DropoutRates {
  const rates = typeof dropout === 'number' ? usualDropout(dropout) : dropout;
  const placeLabel = (place: string) => {
    const name = `dropout.${place}`;
    return label?.(name) ?? name;
  };
  checkFields({ area, label: placeLabel, noun: 'dropout place' }, dropoutPlaces, rates);
  return { ...defaultsOf(dropoutPlaces), ...withoutUndefined(rates) };
}

/** The divisor of `n` that is nearest to a number; the larger one of two. */
function nearestDivisor(n: number, near: number): number {
  let best = 1;
  for (let d = 2; d <= n; d++) if (n % d === 0 && Math.abs(d - near) <= Math.abs(best - near)) best = d;
  return best;
}

/** Rejects a model with too many parameters before memory is allocated. */
function checkSize(c: ModelConfig): void {
  const matrices = feedForwardType(c).parts + 1;
  const widths = (stack: Stack) => {
    const { feedForward: F, depth } = stackSizes(c, stack);
    return matrices * F + (Math.max(0, depth - 2) * F * F) / c.dModel;
  };
  const inLayers =
    c.encoderLayers * (4 * c.heads * c.headWidth + widths('encoder')) +
    c.decoderLayers * (8 * c.decoderHeads * c.decoderHeadWidth + widths('decoder'));
  const tables = c.srcVocab + (c.tie === 'none' ? 2 : c.tie === 'all' ? 0 : 1) * c.tgtVocab;
  const parameters = c.dModel * (inLayers + tables + c.maxLength + c.maxSource);
  if (parameters > maxParameters)
    throw new HeddleError(
      msg`the model has about ${parameters} parameters, at most ${maxParameters} are supported; use a smaller vocabulary, a smaller width or fewer layers`,
      { area: 'config' },
    );
}
