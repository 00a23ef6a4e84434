// What the ops that choose a row's next token share: the rules that forbid tokens, as data, and their launch.

import { check } from '../../core/errors.ts';
import { show, type TensorType } from '../../core/tensor.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Attrs, gridOf, type Launch, type Node, type ReferenceCall, sampleIds, type Value } from '../op.ts';
import { shaderFor, teamOf, teamsFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';

/** Stands for minus infinity: added to the logits of forbidden tokens. What is below a tenth of it is forbidden. */
export const masked = -1e30;

/** The largest float32 below which a score is that of something forbidden. */
export const dead = masked / 10;

/** The end token, and whether there are rules at all. */
export interface NextTokenAttrs extends Attrs {
  readonly endId: number;
  readonly rules: boolean;
}

/** What may come next; every field is data of a run, so one plan serves all. */
export interface TokenRules {
  /** Tokens before the end, at least. */
  readonly minLength: number;
  /** Position of the token read at whose step the end is forced, and then costs nothing; -1: never. */
  readonly forceEndAt: number;
  /** Sequences of so many tokens do not come again; 0: they may. */
  readonly noRepeatNgram: number;
  /** The token that comes first whatever its probability, and costs nothing; -1: none. */
  readonly firstToken: number;
  /** Tokens that never come. */
  readonly banned: readonly number[];
}

const header = 4;

/** Numbers of a `rules` input that has room for `banned` banned tokens. */
export const rulesSize = (banned: number): number => header + banned;

/** Writes rules into the input `rules` i32. Throws where there are more banned tokens than it has room for. */
export function writeRules(
  out: Int32Array,
  { minLength, forceEndAt, noRepeatNgram, firstToken, banned }: TokenRules,
): void {
  check(banned.length + header <= out.length, `rules: ${banned.length} banned tokens, room for ${out.length - header}`);
  out.fill(-1);
  out.set([minLength, forceEndAt, noRepeatNgram, firstToken, ...banned]);
}

/** The inputs that all of the ops begin with: logits f32 [R,1,V] (used up), history i32 [R,T], rules i32 [4+N], step. */
export function checkNextToken(name: string, inputs: readonly TensorType[], { endId }: NextTokenAttrs): number {
  const logits = inputAt(name, inputs, 0, 'logits');
  const [R = 0, , V = 0] = logits.shape;
  expectType(name, 'logits', logits, 'f32', [R, 1, V]);
  const history = inputAt(name, inputs, 1, 'history');
  expectType(name, 'history', history, 'i32', [R, history.shape[1] ?? 0], `logits is ${show(logits.shape)}`);
  const rules = inputAt(name, inputs, 2, 'rules');
  expectType(name, 'rules', rules, 'i32', [Math.max(header, rules.shape[0] ?? 0)]);
  expectStep(name, inputs[3]);
  check(endId >= 0 && endId < V, () => `${name}: the end token ${endId} is not among ${V} tokens`);
  return R;
}

/** Their variants: teams of threads for a row. */
export const nextTokenVariants = ({ inputs }: Node<never>): readonly string[] => teamsFor(inputs[0]!.shape[2]!);

/** What they are measured on: rules that force no token, but look back for trigrams. */
export const nextTokenSample = ({ inputs }: Pick<Node, 'inputs'>) => ({
  1: sampleIds(inputs[0]!.shape[2]!),
  2: (i: number) => (i === 2 ? 3 : -1),
});

/** Their launch; `bind` are the values that an op has of its own. */
export function nextTokenLaunch(
  entry: string,
  attrs: NextTokenAttrs,
  inputs: readonly Value[],
  variant: string,
  bind: Launch['bind'],
  wanted = 0,
): Launch[] {
  const [logits, history, rules, step] = inputs as [Value, Value, Value, Value];
  const [rows = 0, , cols = 0] = logits.shape;
  return [
    {
      shader: shaderFor('next-token', cols),
      entry,
      constants: { ...teamOf(variant), RULES: attrs.rules ? 1 : 0 },
      params: { rows, cols, positions: history.shape[1]!, end: attrs.endId, banned: rules.shape[0]! - header, wanted },
      bind: { logits, history, rules, step, ...bind },
      grid: gridOf(rows, teamOf(variant).ROWS),
      flops: rows * cols,
    },
  ];
}

/** Applies the rules to row r of a reference's logits, in place; returns what to subtract from them for log-probabilities. */
export function rule(
  { attrs, inputs }: ReferenceCall<NextTokenAttrs>,
  r: number,
): { z: Float64Array; normalizer: number } {
  const [logits, history, rules, step] = inputs;
  const [V, T] = [logits!.shape[2]!, history!.shape[1]!];
  const z = logits!.data.subarray(r * V, (r + 1) * V);
  const largest = z.reduce((a, b) => Math.max(a, b));
  const normalizer = largest + Math.log(z.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  if (!attrs.rules) return { z, normalizer };
  const { position } = readStep(step!.data);
  const [minLength = 0, forceEndAt = -1, n = 0, firstToken = -1, ...banned] = rules!.data;
  const forced = position === forceEndAt ? attrs.endId : position === 0 ? firstToken : -1;
  if (forced >= 0) {
    z.fill(masked)[forced] = 0;
    return { z, normalizer: 0 };
  }
  const forbid = (id: number) => {
    if (id >= 0 && id < V) z[id]! += masked;
  };
  if (position < minLength) forbid(attrs.endId);
  for (const id of banned) forbid(id);
  const past = Array.from(history!.data.subarray(r * T, r * T + position + 1));
  for (let i = 0; n > 0 && i + n <= past.length; i++) {
    const last = past.slice(past.length - n + 1).join();
    if (n === 1 || past.slice(i, i + n - 1).join() === last) forbid(past[i + n - 1]!);
  }
  return { z, normalizer };
}
