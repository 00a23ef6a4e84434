// Aliases of parameter names, globs on names, and the error for a glob without matches.

import { expect, it } from 'vitest';
import { globMatcher, hfNames } from '../../src/model/parameter-names.ts';
import { errorAbout } from '../support/expect-error.ts';
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
  const attention = (name: string) =>
    ['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((part) => `${name}.${part}`);
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
  const matches = (glob: string, text: string) => globMatcher('freeze', [glob], [text, glob])(text);
  for (const glob of [name, 'encoder.*', '*.linear1.*', 'transformer.*', 'linear?.weight', '*', 'weight'])
    expect(matches(glob, name), glob).toBe(true);
  for (const glob of [
    'coder.*',
    'encoder',
    'linear1',
    'decoder.*',
    'linear.weight',
    'l*1',
    'transformer.encoder',
  ])
    expect(matches(glob, name), glob).toBe(false);
  expect(matches('a+b.*', 'a+b.c')).toBe(true);
  expect(matches('a.b', 'aXb')).toBe(false);
});

it('lists names similar to a glob without matches', () => {
  const { p } = smallModel();
  const names = p.all.map(({ name }) => name);
  const match = () => globMatcher('freeze', ['encodr.*.liner1.*'], names);
  expect(match).toThrow(errorAbout({ area: 'freeze', values: ['encodr.*.liner1.*'] }));
  expect(match).toThrow(
    errorAbout({ area: 'freeze', values: ['transformer.encoder.layers.0.linear1.weight'] }),
  );
});
