// LoRA adapters (Hu et al., 2022, "LoRA: Low-Rank Adaptation of Large Language Models"). A linear layer
// computes y = x·Wᵀ + b + (alpha/r)·(x·Aᵀ)·Bᵀ: W [out, in] and b are frozen, A [r, in] and B [out, r] are
// trained. Tensors have the names of PEFT, with the layer names of transformers.

import { check } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Graph } from '../engine/graph/graph.ts';
import { addColumns } from '../engine/ops/elementwise/columns.ts';
import { dropout } from '../engine/ops/elementwise/elementwise-ops.ts';
import { linear } from '../engine/ops/matmul/linear.ts';
import type { Value } from '../engine/ops/op.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { ModelConfig } from './model-config.ts';
import type { LoraConfig, Parameter, ParameterLayout, ParameterList } from './parameter-layout.ts';
import { layOutParameters } from './parameter-layout.ts';
import { globMatcher, hfModuleNames } from './parameter-names.ts';
import { layerParameters } from './parameters.ts';
import type { LoraLayers } from './scope.ts';

export type { LoraConfig } from './parameter-layout.ts';

/** Fills in the defaults of a LoRA configuration. Throws a HeddleError if a value is out of range. */
export function loraConfig(options: Partial<LoraConfig> & Pick<LoraConfig, 'rank'>): LoraConfig {
  const { rank, alpha = 2 * rank, targetModules = ['*.q', '*.v'], dropout = 0 } = options;
  const c: LoraConfig = { alpha, targetModules, dropout, rank };
  check(
    Number.isSafeInteger(c.rank) && c.rank >= 1,
    msg`rank is ${c.rank}, it must be a whole number of at least 1`,
    { area: 'lora' },
  );
  check(c.alpha > 0 && Number.isFinite(c.alpha), msg`alpha is ${c.alpha}, it must be above 0`, {
    area: 'lora',
  });
  check(c.dropout >= 0 && c.dropout < 1, msg`dropout is ${c.dropout}, it must be at least 0 and below 1`, {
    area: 'lora',
  });
  check(c.targetModules.length > 0, 'targetModules is empty; name linear layers, for example *.q,*.v', {
    area: 'lora',
  });
  return c;
}

/** A linear layer that LoRA can adapt: `out` rows of the parameter `weight`, from row `row` on. */
export interface LoraTarget {
  /** Name of the layer in Hugging Face's models. */
  readonly name: string;
  readonly weight: string;
  readonly row: number;
  readonly out: number;
  readonly in: number;
}

/** Returns the linear layers of a model that LoRA can adapt. */
export const linearLayers = (c: ModelConfig): LoraTarget[] =>
  layerParameters(c).all.flatMap(({ name: weight, shape, module }) => {
    const [rows = 0, inner = 0] = shape;
    const names = shape.length === 2 ? hfModuleNames(c, { module }) : [];
    return names.map((name, i) => ({
      name,
      weight,
      row: (i * rows) / names.length,
      out: rows / names.length,
      in: inner,
    }));
  });

/**
 * Returns the layers whose Hugging Face name, with or without `_proj`, matches a glob. Throws a HeddleError
 * if a glob matches none.
 */
export function loraTargets(c: ModelConfig, globs: readonly string[]): LoraTarget[] {
  const layers = linearLayers(c);
  const names = layers.map(({ name }) => name);
  const short = (name: string) => name.replace(/_proj$/, '');
  const matches = globMatcher('lora', globs, [...names, ...names.map(short)], names);
  return layers.filter(({ name }) => matches(name) || matches(short(name)));
}

/** Name in PEFT of a matrix of a layer's adapter. */
export const loraTensorName = (target: Pick<LoraTarget, 'name'>, matrix: 'A' | 'B') =>
  `base_model.model.${target.name}.lora_${matrix}.weight`;

/** Returns the parameters of a LoRA adapter: A [r, in] and B [out, r] of each layer, with PEFT's names. */
export const loraParameters = (c: ModelConfig, lora: LoraConfig): ParameterLayout =>
  layOutParameters(
    loraTargets(c, lora.targetModules).flatMap((target) => {
      const parameter = (
        matrix: 'A' | 'B',
        shape: readonly number[],
        bound: number,
      ): Omit<Parameter, 'offset'> => {
        const name = loraTensorName(target, matrix);
        const stored = { name, row: 0, rows: shape[0] as number };
        return { name, shape, decay: true, stored, init: { kind: 'uniform', bound } };
      };
      return [
        parameter('A', [lora.rank, target.in], 1 / Math.sqrt(target.in)),
        parameter('B', [target.out, lora.rank], 0),
      ];
    }),
  );

/**
 * Initializes a LoRA adapter so that it changes nothing yet: A uniform in ±1/sqrt(in), as in PEFT, and B
 * zero.
 */
export const initializeLora = (c: ModelConfig, list: ParameterLayout, seed: number): Float32Array =>
  initializeWeights(c, list, seed, 'xavier');

/**
 * A parameter list with a LoRA adapter: graphs add it to the linear layers. `state`: name of the state with
 * its parameters; training uses `lora`. Returns `p` if there is no adapter.
 */
export const adaptedParameters = (p: ParameterList, lora?: LoraConfig, state = 'lora'): ParameterList =>
  lora
    ? {
        ...p,
        lora: { config: lora, state, open: (graph, c, ...rest) => openLora(graph, c, lora, state, ...rest) },
      }
    : p;

/** Adds the parameters of a LoRA adapter to a graph. */
function openLora(
  graph: Graph,
  c: ModelConfig,
  lora: LoraConfig,
  state: string,
  step: Value,
  site?: () => number,
): LoraLayers {
  const list = loraParameters(c, lora);
  const buffer = graph.state(state, 'f32', [list.size]);
  const values = list.all.map(({ name, offset, shape }) => graph.slice(buffer, name, offset, shape));
  const layers = loraTargets(c, lora.targetModules).map((target, i) => ({
    target,
    a: values[2 * i] as Value,
    b: values[2 * i + 1] as Value,
  }));
  return {
    values,
    extend(weight, x, y) {
      const own = layers.filter(({ target }) => target.weight === weight);
      if (own.length === 0) return y;
      return graph.scope('lora', () =>
        own.reduce((sum, { target, a, b }) => {
          const rate = site ? lora.dropout : 0;
          const input = rate > 0 ? dropout(graph, x, step, { rate, site: site?.() ?? 0 }) : x;
          const low = linear(graph, linear(graph, input, a), b); // [.., out]
          return addColumns(graph, sum, low, { first: target.row, scale: lora.alpha / lora.rank });
        }, y),
      );
    },
  };
}

/**
 * Returns weights [p.size] with the LoRA adapter merged in: W + (alpha/r)·B·A, summed in float64. Neither array is
 * changed.
 */
export function mergeLora(
  c: ModelConfig,
  p: ParameterList,
  weights: Float32Array,
  lora: LoraConfig,
  adapter: ArrayLike<number>,
): Float32Array {
  const merged = weights.slice();
  const list = loraParameters(c, lora);
  const offsetOf = (name: string) => (list.byName.get(name) as Parameter).offset;
  for (const target of loraTargets(c, lora.targetModules)) {
    const [a, b] = [offsetOf(loraTensorName(target, 'A')), offsetOf(loraTensorName(target, 'B'))];
    const start = (p.byName.get(target.weight) as Parameter).offset + target.row * target.in;
    for (let o = 0; o < target.out; o++)
      for (let i = 0; i < target.in; i++) {
        let sum = 0;
        for (let r = 0; r < lora.rank; r++)
          sum += (adapter[b + o * lora.rank + r] as number) * (adapter[a + r * target.in + i] as number);
        const at = start + o * target.in + i;
        merged[at] = (weights[at] as number) + (lora.alpha / lora.rank) * sum;
      }
  }
  return merged;
}

/**
 * A LoRA configuration that is large enough for each of several adapters: the largest rank, all their layers,
 * scale 1.
 */
export function commonLora(c: ModelConfig, loras: readonly LoraConfig[]): LoraConfig {
  const rank = Math.max(...loras.map((lora) => lora.rank));
  const names = new Set(loras.flatMap((lora) => loraTargets(c, lora.targetModules).map(({ name }) => name)));
  return loraConfig({ rank, alpha: rank, targetModules: [...names].sort() });
}

/**
 * Weights of a LoRA adapter in the layout of a wider configuration (`commonLora`), with its scale multiplied
 * into B. Layers and ranks that the adapter lacks are zero; all are zero without an adapter.
 */
export function widenLora(
  c: ModelConfig,
  wide: LoraConfig,
  adapter?: { readonly lora: LoraConfig; readonly weights: ArrayLike<number> },
): Float32Array {
  const to = loraParameters(c, wide);
  const out = new Float32Array(to.size);
  if (!adapter) return out;
  const { lora, weights } = adapter;
  for (const { name, shape, offset } of loraParameters(c, lora).all) {
    const target = to.byName.get(name) as Parameter;
    const [rows = 0, cols = 0] = shape;
    const scale = name.endsWith('lora_B.weight') ? lora.alpha / lora.rank : 1;
    const width = target.shape[1] as number;
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < cols; k++)
        out[target.offset + r * width + k] = scale * (weights[offset + r * cols + k] as number);
  }
  return out;
}
