// What a model or a training needs of GPU and JavaScript memory, compared with a budget before anything is downloaded
// or allocated. Only calls that download a model or have a budget load this file.

import { HeddleError } from '../core/errors.ts';
import { byteSize, listed, type Message, msg, offer, option } from '../core/message.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import { defaultTraits } from '../engine/ops/device-traits.ts';
import { makePlan } from '../engine/plan/planner.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { storedParameters, type WeightFormat, type WeightStorage } from '../model/quantized-parameters.ts';
import { type SourceKind, sourceKindOf, tokens } from '../model/source-kind.ts';
import type { Session } from '../session/session.ts';
import type { TrainingForecast } from './plan-training.ts';

/**
 * The memory that a page may use on a phone or tablet: iOS ends pages at about 1.5 GB, and Android those that take too
 * much of its memory. An iPad names itself a Mac, but has a touch screen.
 */
export function platformBudget(): number | undefined {
  const { navigator } = globalThis as { navigator?: Navigator & { readonly deviceMemory?: number } };
  const { userAgent = '', maxTouchPoints = 0, deviceMemory = 4 } = navigator ?? {};
  if (/android/i.test(userAgent)) return deviceMemory * 2 ** 28;
  return /iphone|ipad/i.test(userAgent) || (userAgent.includes('Macintosh') && maxTouchPoints > 1)
    ? 2 ** 30
    : undefined;
}

/** Bytes that a model needs to translate one text of 32 tokens. */
export interface ModelMemory {
  readonly weights: number;
  /** Activations, keys and values, batches. */
  readonly activations: number;
  /** Parts of the weights that wait for the GPU while they are read. */
  readonly staging: number;
  /** The weights, if they are in JavaScript memory too. */
  readonly javascript: number;
  readonly total: number;
}

/** f32 weights of this size or more are read in parts, never as a whole in JavaScript memory. */
const largeWeights = 256 * 2 ** 20;

/** Bytes of parts that wait in the queue of the device at most. */
const queuedParts = 64 * 2 ** 20;

/** What a model needs with weights in a format. `inMemory`: see `LoadOptions`. */
export async function modelMemory(
  c: ModelConfig,
  storage: WeightStorage,
  inMemory?: boolean,
  kind: SourceKind = tokens,
): Promise<ModelMemory> {
  const p = storedParameters(c, storage, kind);
  const { quantization } = p;
  const weights = 4 * (quantization ? quantization.elements + quantization.plain.size : p.count);
  const length = Math.min(32, c.maxLength);
  const source = kind.hasShortPrograms ? length : kind.maxLength(c);
  const shape = { batch: 1, source, target: length };
  const traits = { ...defaultTraits, maxBindingBytes: 2 ** 40 };
  const plans = [sourceGraph(c, p, shape), stepGraph(c, p, shape, plainGreedy)].map((graph) =>
    makePlan(graph, { traits }),
  );
  const peak = Math.max(...plans.map(({ bytes }) => bytes.peak));
  const isWhole = inMemory ?? (quantization === undefined && weights < largeWeights);
  const staging = isWhole ? 0 : Math.min(weights, queuedParts);
  const javascript = isWhole ? weights : 0;
  const activations = Math.max(0, peak - weights);
  return { weights, activations, staging, javascript, total: weights + activations + staging + javascript };
}

/** The sizes as text. */
const described = ({ weights, activations, staging, javascript, total }: ModelMemory): Message => {
  const parts = { weights, activations, staging, JavaScript: javascript };
  const sizes = Object.entries(parts).flatMap(([name, bytes]) =>
    bytes > 0 ? [msg`${name} ${byteSize(bytes)}`] : [],
  );
  return msg`${byteSize(total)} of memory (${listed(sizes)})`;
};

/** Formats that need less than f32, largest first. */
const smaller: readonly WeightFormat[] = ['f16', 'int8', 'int4'];

/**
 * Says what a model needs. Throws a HeddleError of kind `memory` if that is above the budget of the session; it names
 * the formats of weights that fit.
 */
export async function checkMemory(
  name: string,
  c: ModelConfig,
  { memoryBudget = platformBudget(), emit, features }: Pick<Session, 'memoryBudget' | 'emit' | 'features'>,
  storage: WeightStorage = {},
  inMemory?: boolean,
): Promise<void> {
  const kind = await sourceKindOf(c, features.sourceKinds);
  const own = await modelMemory(c, storage, inMemory, kind);
  const { weights = 'f32' } = storage;
  const needs = msg`${name} needs ${described(own)} with weights in ${weights}`;
  if (memoryBudget === undefined || own.total <= memoryBudget) return emit({ type: 'message', text: needs });
  const offers: Message[] = [];
  for (const format of smaller) {
    const { total } = await modelMemory(c, { ...storage, weights: format }, undefined, kind);
    if (total <= memoryBudget && total < own.total)
      offers.push(msg`${option('weights', format)} (${byteSize(total)})`);
  }
  const remedy =
    offers.length > 0
      ? msg`it fits with ${listed(offers, ' or ')}`
      : 'no format of weights fits; use a smaller model';
  throw new HeddleError(msg`${needs}; the memory budget is ${byteSize(memoryBudget)}; ${remedy}`, {
    kind: 'memory',
  });
}

/** Throws a HeddleError of kind `memory` if a planned training does not fit; it names the settings that fit. */
export function checkForecast({
  fits,
  reason,
  template,
  offer: offeredIn,
}: Pick<TrainingForecast, 'fits' | 'reason' | 'template' | 'offer'>): void {
  if (fits) return;
  throw new HeddleError(
    offeredIn
      ? msg`${template ?? reason} It fits with ${offer(offeredIn.settings)} (${byteSize(offeredIn.bytes)}).`
      : (template ?? reason),
    { kind: 'memory' },
  );
}
