// Low-rank adapters (Hu et al., 2022, "LoRA"): a linear layer y = x·Wᵀ + b with frozen W gets (alpha/r)·(x·Aᵀ)·Bᵀ beside it, of which
// A [r,in] and B [out,r] are trained. Names are those of PEFT on Hugging Face's BART and MarianMT.

import { check } from '../core/errors.ts';
import type { Graph } from '../graph/graph.ts';
import { addColumns } from '../ops/elementwise/columns.ts';
import { dropout } from '../ops/elementwise/dropout.ts';
import { linear } from '../ops/matmul/linear.ts';
import type { Value } from '../ops/op.ts';
import type { ModelConfig } from './model-config.ts';
import { layOutParameters, type Parameter, type ParameterList } from './parameter-layout.ts';
import { globMatcher, hfModuleNames, noMatchError } from './parameter-names.ts';
import { initializeWeights, parameterList } from './parameters.ts';

/** An adapter as plain data. */
export interface LoraConfig {
  readonly rank: number;
  /** The update is multiplied by alpha / rank. */
  readonly alpha: number;
  /** Globs on the names of linear layers: `*.q_proj`, `fc1`, `decoder.*.v`. */
  readonly targetModules: readonly string[];
  /** Dropout of the adapter's input, in training. */
  readonly dropout: number;
}

/** Completes and checks an adapter: alpha is twice the rank and the targets queries and values unless given. Throws a HeddleError. */
export function loraConfig(options: Partial<LoraConfig> & Pick<LoraConfig, 'rank'>): LoraConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));
  const c: LoraConfig = {
    alpha: 2 * options.rank,
    targetModules: ['*.q', '*.v'],
    dropout: 0,
    ...given,
    rank: options.rank,
  };
  check(
    Number.isSafeInteger(c.rank) && c.rank >= 1,
    `lora: rank is ${c.rank}, it must be a whole number of at least 1`,
  );
  check(c.alpha > 0 && Number.isFinite(c.alpha), `lora: alpha is ${c.alpha}, it must be above 0`);
  check(c.dropout >= 0 && c.dropout < 1, `lora: dropout is ${c.dropout}, it must be at least 0 and below 1`);
  check(c.targetModules.length > 0, 'lora: there are no targets; name linear layers, as *.q,*.v');
  return c;
}

/** A linear layer that can have an adapter: rows `row`.. of the tensor `weight`, [out, in]. */
export interface LoraTarget {
  /** Hugging Face's name of it. */
  readonly name: string;
  /** Name of the parameter that holds its weights, and the first of its rows. */
  readonly weight: string;
  readonly row: number;
  readonly out: number;
  readonly in: number;
}

/** The linear layers of a model that can have adapters. */
export function linearLayers(c: ModelConfig): LoraTarget[] {
  return parameterList(c).all.flatMap(({ name: weight, shape }) => {
    const [rows = 0, inner = 0] = shape;
    const names = shape.length === 2 ? hfModuleNames(weight) : [];
    return names.map((name, i) => ({
      name,
      weight,
      row: (i * rows) / names.length,
      out: rows / names.length,
      in: inner,
    }));
  });
}

/** The layers that globs name, by Hugging Face's name, with or without `_proj`. Throws a HeddleError where one matches none. */
export function loraTargets(c: ModelConfig, globs: readonly string[]): LoraTarget[] {
  const layers = linearLayers(c);
  const named = layers.map((layer) => ({ layer, names: [layer.name, layer.name.replace(/_proj$/, '')] }));
  const tests = globs.map(globMatcher);
  for (const [i, test] of tests.entries())
    if (!named.some(({ names }) => names.some(test)))
      throw noMatchError(
        'lora',
        globs[i] as string,
        layers.map(({ name }) => name),
      );
  return named.filter(({ names }) => names.some((name) => tests.some((test) => test(name)))).map(({ layer }) => layer);
}

/** PEFT's names of the two parameters of a layer. */
const tensorName = (target: LoraTarget, part: 'A' | 'B') => `base_model.model.${target.name}.lora_${part}.weight`;

/** The parameters of an adapter: A [r,in] and B [out,r] of each layer, under PEFT's names. */
export function loraParameters(c: ModelConfig, lora: LoraConfig): ParameterList {
  return layOutParameters(
    loraTargets(c, lora.targetModules).flatMap((target) => {
      const parameter = (part: 'A' | 'B', shape: readonly number[], bound: number): Omit<Parameter, 'offset'> => {
        const name = tensorName(target, part);
        const stored = { name, row: 0, rows: shape[0] as number };
        return { name, shape, decay: true, stored, init: { kind: 'uniform', bound } };
      };
      return [
        parameter('A', [lora.rank, target.in], 1 / Math.sqrt(target.in)),
        parameter('B', [target.out, lora.rank], 0),
      ];
    }),
  );
}

/** A fresh adapter, which changes nothing yet: A uniform within 1/sqrt(in), as PyTorch's linear layers, and B zero. */
export const initializeLora = (c: ModelConfig, list: ParameterList, seed: number): Float32Array =>
  initializeWeights(c, list, seed, 'xavier');

/** An adapter in a graph. */
export interface LoraLayers {
  /** Its parameters, in the order of `adapterParameters`. */
  readonly values: readonly Value[];
  /** The layer's result y [..,out] with what the adapters of the layer `weight` make of its input x [..,in] added. */
  extend(weight: string, x: Value, y: Value): Value;
}

/** Opens an adapter in a graph: the state `adapter`. Dropout where `site` numbers its places. */
export function openLora(graph: Graph, c: ModelConfig, lora: LoraConfig, step: Value, site?: () => number): LoraLayers {
  const list = loraParameters(c, lora);
  const bank = graph.state('lora', 'f32', [list.size]);
  const values = list.all.map(({ name, offset, shape }) => graph.part(bank, name, offset, shape));
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

/** The weights with an adapter in them, W + (alpha/r)·B·A, summed in float64; both banks stay as they are. */
export function mergeLora(
  c: ModelConfig,
  weights: Float32Array,
  lora: LoraConfig,
  adapter: ArrayLike<number>,
): Float32Array {
  const merged = weights.slice();
  const p = parameterList(c);
  const list = loraParameters(c, lora);
  const offsetOf = (name: string) => (list.byName.get(name) as Parameter).offset;
  for (const target of loraTargets(c, lora.targetModules)) {
    const [a, b] = [offsetOf(tensorName(target, 'A')), offsetOf(tensorName(target, 'B'))];
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
