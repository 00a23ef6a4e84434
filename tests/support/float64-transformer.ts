// A transformer as loops over float64 rows, which shares no code with src/: the reference of interventions. Post-norm or
// pre-norm, sinusoidal positions, ReLU.

import type { ModelConfig } from '../../src/model/model-config.ts';
import type { ParameterList } from '../../src/model/parameter-layout.ts';

type Rows = number[][];

/** What happens at the places of a model. */
export interface Hooks {
  /** The activation of a place: what the model goes on with. `heads`: [T, H·W] of an attention. */
  at?(
    level: 'embedding' | 'heads' | 'sublayer' | 'layer' | 'output',
    place: string,
    x: Rows,
    input: Rows,
  ): Rows;
  /** Whether a head of an attention does not see a key. */
  hides?(place: string, head: number, query: number, key: number): boolean;
}

/** The logits of a pair [T, V], and those of the residual stream before the first layer and after each. */
export function forward(
  c: ModelConfig,
  p: ParameterList,
  weights: Float32Array,
  pair: { readonly source: readonly number[]; readonly target: readonly number[] },
  { at = (_level, _place, x) => x, hides = () => false }: Hooks = {},
): { logits: Rows; lens: Rows[] } {
  const tensor = (name: string) => {
    const found = p.all.find((one) => one.name === name);
    if (!found) return undefined;
    const { offset, shape } = found;
    return { shape, data: weights.subarray(offset, offset + shape.reduce((a, b) => a * b, 1)) };
  };
  const linear = (x: Rows, weight: string, bias: string): Rows => {
    const w = tensor(weight)!;
    const b = tensor(bias)?.data;
    const [outputs = 0, inputs = 0] = w.shape;
    return x.map((row) =>
      Array.from({ length: outputs }, (_, o) =>
        row.reduce((sum, value, i) => sum + value * w.data[o * inputs + i]!, b?.[o] ?? 0),
      ),
    );
  };
  const norm = (x: Rows, name: string): Rows => {
    const [gamma, beta] = [tensor(`${name}.weight`)!.data, tensor(`${name}.bias`)!.data];
    return x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
      return row.map((v, i) => ((v - mean) / Math.sqrt(variance + c.layerNormEps)) * gamma[i]! + beta[i]!);
    });
  };
  const add = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((v, i) => v + b[t]![i]!));
  const columns = (x: Rows, first: number, count: number): Rows =>
    x.map((row) => row.slice(first, first + count));

  const embed = (table: string, ids: readonly number[]): Rows => {
    const shared = tensor(table) ?? tensor('src_embed.weight')!;
    return ids.map((id, position) =>
      Array.from({ length: c.dModel }, (_, i) => {
        const angle = position / 10000 ** ((2 * Math.floor(i / 2)) / c.dModel);
        const scale = c.scaleEmbedding ? Math.sqrt(c.dModel) : 1;
        return shared.data[id * c.dModel + i]! * scale + (i % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
      }),
    );
  };

  const attend = (place: string, q: Rows, k: Rows, v: Rows, heads: number, causal: boolean): Rows => {
    const width = q[0]!.length / heads;
    const out = q.map((row) => row.map(() => 0));
    for (let h = 0; h < heads; h++)
      for (const [i, row] of q.entries()) {
        const seen = k.map((_, j) => j).filter((j) => !(causal && j > i) && !hides(place, h, i, j));
        const scores = seen.map((j) => {
          let sum = 0;
          for (let w = h * width; w < (h + 1) * width; w++) sum += row[w]! * k[j]![w]!;
          return sum / Math.sqrt(width);
        });
        const e = scores.map((s) => Math.exp(s - Math.max(...scores)));
        const total = e.reduce((a, b) => a + b, 0);
        for (const [n, j] of seen.entries())
          for (let w = h * width; w < (h + 1) * width; w++) out[i]![w]! += (e[n]! / total) * v[j]![w]!;
      }
    return at('heads', place, out, q);
  };

  const residual = (place: string, name: string, x: Rows, f: (y: Rows) => Rows): Rows => {
    const sublayer = (y: Rows) => at('sublayer', place, f(y), y);
    return c.norm === 'pre' ? add(x, sublayer(norm(x, name))) : norm(add(x, sublayer(x)), name);
  };
  const feedForward = (layer: string) => (y: Rows) =>
    linear(
      linear(y, `${layer}.linear1.weight`, `${layer}.linear1.bias`).map((row) =>
        row.map((v) => Math.max(0, v)),
      ),
      `${layer}.linear2.weight`,
      `${layer}.linear2.bias`,
    );
  const self = (layer: string, place: string, heads: number, causal: boolean) => (y: Rows) => {
    const qkv = linear(y, `${layer}.self_attn.in_proj_weight`, `${layer}.self_attn.in_proj_bias`);
    const D = qkv[0]!.length / 3;
    const out = attend(place, columns(qkv, 0, D), columns(qkv, D, D), columns(qkv, 2 * D, D), heads, causal);
    return linear(out, `${layer}.self_attn.out_proj.weight`, `${layer}.self_attn.out_proj.bias`);
  };
  const finish = (stack: string, x: Rows) => (c.finalNorm ? norm(x, `transformer.${stack}.norm`) : x);

  let x = at('embedding', 'encoder.embedding', embed('src_embed.weight', pair.source), []);
  for (let n = 0; n < c.encoderLayers; n++) {
    const [layer, place, input] = [`transformer.encoder.layers.${n}`, `encoder.${n}`, x];
    x = residual(`${place}.self`, `${layer}.norm1`, x, self(layer, `${place}.self`, c.heads, false));
    x = residual(`${place}.feedForward`, `${layer}.norm2`, x, feedForward(layer));
    x = at('layer', place, x, input);
  }
  const memory = at('output', 'encoder.output', finish('encoder', x), x);

  const project = (rows: Rows): Rows => {
    const table =
      { none: 'generator.weight', all: 'src_embed.weight' }[c.tie as 'none' | 'all'] ?? 'tgt_embed.weight';
    const scaled = c.scaleOutput ? rows.map((row) => row.map((v) => v / Math.sqrt(c.dModel))) : rows;
    return linear(scaled, table, 'generator.bias');
  };
  x = at('embedding', 'decoder.embedding', embed('tgt_embed.weight', pair.target), []);
  const stream = [x];
  for (let n = 0; n < c.decoderLayers; n++) {
    const [layer, place, input] = [`transformer.decoder.layers.${n}`, `decoder.${n}`, x];
    x = residual(`${place}.self`, `${layer}.norm1`, x, self(layer, `${place}.self`, c.decoderHeads, true));
    x = residual(`${place}.cross`, `${layer}.norm2`, x, (y) => {
      const q = linear(y, `${layer}.multihead_attn.q_proj.weight`, `${layer}.multihead_attn.q_proj.bias`);
      const kv = linear(
        memory,
        `${layer}.multihead_attn.kv_proj.weight`,
        `${layer}.multihead_attn.kv_proj.bias`,
      );
      const D = kv[0]!.length / 2;
      const out = attend(`${place}.cross`, q, columns(kv, 0, D), columns(kv, D, D), c.decoderHeads, false);
      return linear(out, `${layer}.multihead_attn.out_proj.weight`, `${layer}.multihead_attn.out_proj.bias`);
    });
    x = residual(`${place}.feedForward`, `${layer}.norm3`, x, feedForward(layer));
    x = at('layer', place, x, input);
    stream.push(x);
  }
  return {
    logits: project(at('output', 'decoder.output', finish('decoder', x), x)),
    lens: stream.map((rows) => project(finish('decoder', rows))),
  };
}
