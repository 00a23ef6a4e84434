// Simple decoding on the float64 references, without a KV cache: the reference for the decoder.

import { random } from '../../src/core/random.ts';
import type { DecodeSettings } from '../../src/decode/decode-options.ts';
import type { Hypothesis } from '../../src/decode/hypotheses.ts';
import { createCpuExecutor } from '../../src/engine/cpu/executor.ts';
import { Graph } from '../../src/engine/graph/graph.ts';
import type { ModelConfig } from '../../src/model/model-config.ts';
import { openTransformer } from '../../src/model/open-transformer.ts';
import type { ParameterList } from '../../src/model/parameter-layout.ts';
import { fixedPositions } from '../../src/model/positions.ts';
import { tokenInput } from '../../src/model/source-kind.ts';
import { decode, encode, project } from '../../src/model/transformer.ts';

/**
 * Weights whose distributions are neither flat nor sharp; padding and the start token are never the most
 * likely.
 */
export function unevenWeights(c: ModelConfig, p: ParameterList, seed: number): Float32Array {
  const weights = new Float32Array(p.size);
  const r = random(seed);
  for (const { name, offset, shape } of p.all) {
    const size = shape.reduce((a, b) => a * b, 1);
    const norm = /norm\d?\.weight$/.test(name);
    // Small target embeddings: predictions must not depend only on the last token.
    const scale = norm || name.startsWith('tgt_embed') ? 0.2 : 0.7;
    for (let i = 0; i < size; i++) weights[offset + i] = (norm ? 1 : 0) + scale * r.normal();
    if (name !== 'generator.bias') continue;
    for (const id of [c.padId, c.startId]) weights[offset + id] = -60;
    weights[offset + c.endId] = 1;
  }
  return weights;
}

/** Sources of random ids with the given lengths, end token included. */
export function randomSources(c: ModelConfig, lengths: readonly number[], seed: number): number[][] {
  const r = random(seed);
  return lengths.map((n) => [...Array.from({ length: n - 1 }, () => 3 + r.int(c.srcVocab - 3)), c.endId]);
}

/** The log-probabilities of all tokens after the start and `prefix`. */
export type Oracle = (source: readonly number[], prefix: readonly number[]) => Float64Array;

/** Computes the whole target again at each step, in float64, one sequence at a time. */
export function createOracle(
  c: ModelConfig,
  p: ParameterList,
  weights: Float32Array,
  maxLength: number,
): Oracle {
  const graph = new Graph();
  const m = openTransformer(graph, c, p, false);
  const source = p.source.input(graph, c, 1, maxLength);
  const target = tokenInput(graph, 'tgt', 'tgt', 1, maxLength);
  graph.output('logits', project(m, decode(m, target, encode(m, p.source, source), source.lengths)));
  const cpu = createCpuExecutor(graph);
  cpu.state('weights').set(weights);
  const positions = fixedPositions(c);
  if (positions) cpu.state('positions').set(positions);
  const known = new Map<string, Float64Array>();
  const padded = (ids: readonly number[]) => Array.from({ length: maxLength }, (_, i) => ids[i] ?? c.padId);
  return (src, prefix) => {
    const key = `${src} ${prefix}`;
    let found = known.get(key);
    if (!found) {
      const read = [c.startId, ...prefix];
      const inputs = { src: padded(src), srcLens: [src.length], tgt: padded(read), tgtLens: [read.length] };
      const { logits } = cpu.run({ ...inputs, step: new Array(8).fill(0) });
      const row = logits!.subarray((read.length - 1) * c.tgtVocab, read.length * c.tgtVocab);
      const top = Math.max(...row);
      const lse = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
      found = row.map((x) => x - lse);
      known.set(key, found);
    }
    return found;
  };
}

type Settings = Pick<DecodeSettings, 'rows' | 'penalty' | 'earlyStopping' | 'maxNewTokens' | 'rules'>;

/** Log-probabilities under the rules; minus infinity for a forbidden token, 0 for a forced one. */
export function ruled(
  c: ModelConfig,
  { rules }: Pick<Settings, 'rules'>,
  oracle: Oracle,
  source: readonly number[],
  prefix: readonly number[],
): number[] {
  const out = Array.from(oracle(source, prefix));
  const forced = prefix.length === rules.forceEndAt ? c.endId : prefix.length === 0 ? rules.firstToken : -1;
  if (forced >= 0) return out.map((_, id) => (id === forced ? 0 : Number.NEGATIVE_INFINITY));
  const n = rules.noRepeatNgram;
  const whole = [c.startId, ...prefix];
  const seen = new Set<string>();
  for (let i = 0; n > 0 && i + n <= whole.length; i++) seen.add(whole.slice(i, i + n).join());
  return out.map((x, id) => {
    if (id === c.endId && prefix.length < rules.minLength) return Number.NEGATIVE_INFINITY;
    if (rules.banned.includes(id)) return Number.NEGATIVE_INFINITY;
    for (const words of rules.bannedSequences ?? [])
      if ([...whole, id].slice(-words.length).join() === words.join()) return Number.NEGATIVE_INFINITY;
    if (n > 0 && seen.has([...whole.slice(whole.length + 1 - n), id].join())) return Number.NEGATIVE_INFINITY;
    return x;
  });
}

const byScore = (a: Hypothesis, b: Hypothesis): number => b.score - a.score;

/** Beam search with lists, with Hugging Face's rules and sums in float64. */
export function beamSearch(
  c: ModelConfig,
  s: Settings,
  oracle: Oracle,
  source: readonly number[],
): Hypothesis[] {
  let beams = [{ ids: [] as number[], sum: 0 }];
  let pool: Hypothesis[] = [];
  const add = (ids: number[], sum: number, tokens: number, ended: boolean) => {
    pool = [...pool, { ids, logProb: sum, score: sum / s.penalty(tokens), ended }]
      .sort(byScore)
      .slice(0, s.rows);
  };
  for (let length = 1; length <= s.maxNewTokens; length++) {
    const candidates = beams
      .flatMap(({ ids, sum }) => ruled(c, s, oracle, source, ids).map((x, id) => ({ ids, id, sum: sum + x })))
      .filter(({ sum }) => sum > Number.NEGATIVE_INFINITY)
      .sort((a, b) => b.sum - a.sum)
      .slice(0, 2 * s.rows);
    for (const { ids, id, sum } of candidates.slice(0, s.rows))
      if (id === c.endId) add(ids, sum, length, true);
    beams = candidates
      .filter(({ id }) => id !== c.endId)
      .slice(0, s.rows)
      .map(({ ids, id, sum }) => ({ ids: [...ids, id], sum }));
    const best = beams[0]?.sum ?? Number.NEGATIVE_INFINITY;
    const worst = pool[s.rows - 1];
    if (beams.length === 0) return pool;
    if (!worst) continue;
    const now = best / s.penalty(length);
    const ever = Math.max(now, best / s.penalty(s.maxNewTokens));
    if (s.earlyStopping === true || worst.score >= (s.earlyStopping === 'never' ? ever : now)) return pool;
  }
  for (const { ids, sum } of beams) add(ids, sum, s.maxNewTokens, false);
  return pool;
}

/** All allowed sequences, finished or truncated at the maximum length, the best first. */
export function allSequences(
  c: ModelConfig,
  s: Settings,
  oracle: Oracle,
  source: readonly number[],
): Hypothesis[] {
  const found: Hypothesis[] = [];
  const grow = (ids: number[], sum: number): void => {
    for (const [id, x] of ruled(c, s, oracle, source, ids).entries()) {
      if (x === Number.NEGATIVE_INFINITY) continue;
      const [logProb, tokens] = [sum + x, ids.length + 1];
      const score = logProb / s.penalty(tokens);
      if (id === c.endId) found.push({ ids, logProb, score, ended: true });
      else if (tokens === s.maxNewTokens) found.push({ ids: [...ids, id], logProb, score, ended: false });
      else grow([...ids, id], logProb);
    }
  };
  grow([], 0);
  return found.sort(byScore);
}
