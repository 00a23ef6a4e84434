// Inspection of a model: the GPU gives what the CPU executor gives, and the numbers are those of the model.
import { expect, it } from 'vitest';
import { Inspector } from '../../src/decode/inspector.ts';
import { likelyTokens } from '../../src/decode/model-inspector.ts';
import { cpuEngine } from '../../src/engine/cpu-engine.ts';
import { type Engine, gpuEngine } from '../../src/engine/engine.ts';
import { wrapDevice } from '../../src/engine/gpu/device.ts';
import { modelConfig } from '../../src/model/model-config.ts';
import { writeWeights } from '../../src/model/model-states.ts';
import { parameterList } from '../../src/model/parameters.ts';
import { presets } from '../../src/model/presets.ts';
import { unevenWeights } from '../support/decoding.ts';
import { gpuDevice } from '../support/gpu.ts';
import { letterModel } from '../support/saved-model.ts';

const saved = letterModel();
const { config, source, target, weights } = saved;
const ids = [...source.encode('bad cab'), source.special.end];
const read = target.encode('abc e');

async function inspectOn(engine: Engine, tensors: boolean) {
  const parameters = parameterList(config);
  const inspector = await Inspector.open(engine, config, parameters, { source: 16, target: 16, tensors });
  writeWeights(engine, config, parameters, weights);
  return inspector.inspect(ids, read);
}
const gpu = async () => gpuEngine(wrapDevice(await gpuDevice()));

it('computes attention, scores, logits and all tensors as the CPU does', async () => {
  const [mine, reference] = [await inspectOn(await gpu(), true), await inspectOn(cpuEngine(), true)];
  const close = (a: Float32Array, b: Float32Array, what: string) => {
    expect(a.length, what).toBe(b.length);
    const wrong = a.findIndex(
      (x, i) => !(Math.abs(x - (b[i] as number)) <= 1e-4 * (1 + Math.abs(b[i] as number))),
    );
    expect(wrong, what).toBe(-1);
  };
  close(mine.logits, reference.logits, 'logits');
  expect(mine.attention.map(({ kind, layer }) => `${kind} ${layer}`)).toEqual(
    reference.attention.map(({ kind, layer }) => `${kind} ${layer}`),
  );
  for (const [n, map] of mine.attention.entries()) {
    close(map.weights, reference.attention[n]!.weights, map.kind);
    close(map.scores!, reference.attention[n]!.scores!, map.kind);
  }
  expect(mine.tensors.map(({ name }) => name)).toEqual(reference.tensors.map(({ name }) => name));
  for (const [n, { name, data }] of mine.tensors.entries()) close(data, reference.tensors[n]!.data, name);
  const rows = new Map(mine.tensors.map(({ name, shape }) => [name, shape[0]]));
  expect(rows.get('encoder.embed.embedding')).toBe(ids.length);
  expect(rows.get('decoder.embed.embedding')).toBe(read.length + 1);
});

it('gives rows that sum to 1, nothing after a token for the decoder, and softmax of the scores', async () => {
  const { attention } = await inspectOn(await gpu(), true);
  expect(attention).toHaveLength(config.encoderLayers + 2 * config.decoderLayers);
  for (const { kind, heads, queries, keys, weights, scores } of attention)
    for (let row = 0; row < heads * queries; row++) {
      const i = row % queries;
      const seen = kind === 'decoder' ? i + 1 : keys;
      const p = [...weights.subarray(row * keys, (row + 1) * keys)];
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(p.slice(seen).every((x) => x === 0)).toBe(true);
      const e = [...scores!.subarray(row * keys, row * keys + seen)].map(Math.exp);
      const total = e.reduce((a, b) => a + b);
      expect(Math.max(...e.map((x, j) => Math.abs(x / total - p[j]!)))).toBeLessThan(1e-5);
    }
});

it('shows all attention of a model with relative positions, bias included', async () => {
  const t5 = modelConfig({
    ...presets['t5-tiny'],
    srcVocab: source.size,
    tgtVocab: target.size,
    maxLength: 16,
  });
  const parameters = parameterList(t5);
  const parameterBuffer = unevenWeights(t5, parameters, 3);
  const inspectT5 = async (engine: Engine) => {
    const inspector = await Inspector.open(engine, t5, parameters, { source: 16, target: 16, tensors: true });
    writeWeights(engine, t5, parameters, parameterBuffer);
    return (await inspector.inspect(ids, read)).attention;
  };
  const [mine, reference] = [await inspectT5(await gpu()), await inspectT5(cpuEngine())];
  expect(mine.map(({ kind, layer }) => `${kind} ${layer}`).sort()).toEqual(
    ['encoder', 'decoder', 'cross'].flatMap((kind) => [`${kind} 0`, `${kind} 1`]).sort(),
  );
  for (const [n, { weights, heads, queries, keys, scores, kind }] of mine.entries()) {
    const other = reference[n]!.weights;
    expect(Math.max(...weights.map((w, i) => Math.abs(w - other[i]!)))).toBeLessThan(1e-4);
    // The softmax of the scores, which have the bias, is what is shown.
    for (let row = 0; row < heads * queries; row++) {
      const seen = kind === 'decoder' ? (row % queries) + 1 : keys;
      const s = [...scores!.subarray(row * keys, row * keys + seen)];
      const e = s.map((x) => Math.exp(x - Math.max(...s)));
      const total = e.reduce((a, b) => a + b);
      expect(Math.max(...e.map((x, j) => Math.abs(x / total - weights[row * keys + j]!)))).toBeLessThan(1e-4);
    }
  }
});

it('gives the learned positions of the encoder: the embeddings are sums of them and rows of the table', async () => {
  const learned = modelConfig({ ...config, positions: 'learned', positionOffset: 2 });
  const parameters = parameterList(learned);
  const parameterBuffer = unevenWeights(learned, parameters, 3);
  const engine = cpuEngine();
  const inspector = await Inspector.open(engine, learned, parameters, {
    source: 16,
    target: 16,
    tensors: true,
  });
  writeWeights(engine, learned, parameters, parameterBuffer);
  const { positions, tensors } = await inspector.inspect(ids, read);
  const [sum, D] = [tensors.find(({ name }) => name === 'encoder.embed.embedding'), learned.dModel];
  expect(positions).toHaveLength(Math.max(ids.length, read.length + 1) * D);
  const table = parameters.all.find(({ name }) => name === 'src_embed.weight')!.offset;
  const scale = learned.scaleEmbedding ? Math.sqrt(D) : 1;
  for (const [t, id] of ids.entries())
    for (let i = 0; i < D; i++)
      expect(sum!.data[t * D + i]).toBeCloseTo(
        scale * parameterBuffer[table + id * D + i]! + positions![t * D + i]!,
        4,
      );
});

it('gives the same attention without the tensors', async () => {
  const [fused, whole] = [await inspectOn(await gpu(), false), await inspectOn(await gpu(), true)];
  expect(fused.tensors).toEqual([]);
  for (const [n, { weights }] of fused.attention.entries())
    expect(Math.max(...weights.map((w, i) => Math.abs(w - whole.attention[n]!.weights[i]!)))).toBeLessThan(
      1e-5,
    );
});

it('lists the most likely tokens, best first', () => {
  const logits = Float32Array.from([0, 1, 3, 2, 5, 5, 5, 5]);
  const [first, second] = likelyTokens(logits, 4, 3);
  expect(first!.map(({ id }) => id)).toEqual([2, 3, 1]);
  expect(first![0]!.probability).toBeCloseTo(Math.exp(3) / (1 + Math.E + Math.exp(3) + Math.exp(2)), 6);
  expect(second!.map(({ probability }) => probability)).toEqual([0.25, 0.25, 0.25]);
  const [warm] = likelyTokens(logits, 4, 1, 2);
  expect(warm![0]!.probability).toBeCloseTo(Math.exp(1.5) / (1 + Math.exp(0.5) + Math.exp(1.5) + Math.E), 6);
});

it('gives the gates and states of an SSRU, as the CPU does, and the layers without self-attention', async () => {
  const ssru = modelConfig({ ...config, decoderSelfAttention: 'ssru', decoderLayers: 3 });
  const parameters = parameterList(ssru);
  const buffer = unevenWeights(ssru, parameters, 5);
  const inspectSsru = async (engine: Engine, tensors: boolean) => {
    const inspector = await Inspector.open(engine, ssru, parameters, { source: 16, target: 16, tensors });
    writeWeights(engine, ssru, parameters, buffer);
    return inspector.inspect(ids, read);
  };
  const [mine, reference] = [await inspectSsru(await gpu(), false), await inspectSsru(cpuEngine(), true)];
  expect(mine.attention.map(({ kind }) => kind)).not.toContain('decoder');
  expect(mine.gates.map(({ layer, channels }) => [layer, channels])).toEqual(
    [0, 1, 2].map((layer) => [layer, ssru.dModel]),
  );
  const passed = reference.tensors.filter(({ name }) => name.endsWith('ssru.ssru'));
  expect(passed).toHaveLength(3);
  for (const [n, { gates, states }] of mine.gates.entries()) {
    expect(gates).toHaveLength((read.length + 1) * ssru.dModel);
    expect(Math.min(...gates)).toBeGreaterThan(0);
    expect(Math.max(...gates)).toBeLessThan(1);
    const other = reference.gates[n]!;
    expect(Math.max(...gates.map((x, i) => Math.abs(x - other.gates[i]!)))).toBeLessThan(1e-5);
    // What the layer passes on is the state above zero.
    expect(Math.max(...states.map((x, i) => Math.abs(Math.max(x, 0) - passed[n]!.data[i]!)))).toBeLessThan(
      1e-4,
    );
  }
});
