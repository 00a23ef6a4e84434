// Aliases of parameter names, globs on names, and the error for a glob without matches.

import { expect, it } from 'vitest';
import { globMatcher, hfNames, noMatchError } from '../../src/model/parameter-names.ts';
import { smallModel } from '../support/model.ts';

it('gives every parameter of a BART the names that Hugging Face has for it', () => {
  const { c, p } = smallModel({
    tie: 'all',
    srcVocab: 23,
    positions: 'learned',
    embeddingNorm: true,
    finalNorm: false,
  });
  const found = p.all.flatMap((parameter) => hfNames(c, parameter)).sort();
  const layer = (stack: string, parts: string[]) =>
    parts.flatMap((part) => ['weight', 'bias'].map((kind) => `model.${stack}.layers.0.${part}.${kind}`));
  const attention = (name: string) => ['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((part) => `${name}.${part}`);
  const block = [...attention('self_attn'), 'self_attn_layer_norm', 'fc1', 'fc2', 'final_layer_norm'];
  const stack = (name: string) => [
    `model.${name}.embed_positions.weight`,
    `model.${name}.layernorm_embedding.weight`,
    `model.${name}.layernorm_embedding.bias`,
  ];
  expect(found).toEqual(
    [
      'model.shared.weight',
      'final_logits_bias',
      ...stack('encoder'),
      ...stack('decoder'),
      ...layer('encoder', block),
      ...layer('decoder', [...block, ...attention('encoder_attn'), 'encoder_attn_layer_norm']),
    ].sort(),
  );
});

it('matches a glob with a whole name, or with what follows a dot', () => {
  const name = 'transformer.encoder.layers.0.linear1.weight';
  for (const glob of [name, 'encoder.*', '*.linear1.*', 'transformer.*', 'linear?.weight', '*', 'weight'])
    expect(globMatcher(glob)(name), glob).toBe(true);
  for (const glob of ['coder.*', 'encoder', 'linear1', 'decoder.*', 'linear.weight', 'l*1', 'transformer.encoder'])
    expect(globMatcher(glob)(name), glob).toBe(false);
  expect(globMatcher('a+b.*')('a+b.c')).toBe(true);
  expect(globMatcher('a.b')('aXb')).toBe(false);
});

it('lists names similar to a glob without matches', () => {
  const { p } = smallModel();
  const names = p.all.map(({ name }) => name);
  const { message } = noMatchError('freeze', 'encodr.*.liner1.*', names);
  expect(message).toMatch(/^freeze: encodr\.\*\.liner1\.\* matches no name; the most similar are /);
  expect(message).toContain('transformer.encoder.layers.0.linear1.weight');
  expect(message.split(', ')).toHaveLength(5);
});
