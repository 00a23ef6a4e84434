import { expect, it } from 'vitest';
import { recipeFor } from '../../src/train/recipes.ts';

it('takes what is given, and the rest from the recipe of what is trained', () => {
  expect(recipeFor('pairs', { lr: 0.5, vocab: 77 })).toMatchObject({
    lr: 0.5,
    vocab: 77,
    preset: 'small',
    tokenizer: 'bpe',
  });
  expect(recipeFor('pairs', { preset: 'keras' })).toMatchObject({
    optimizer: 'rmsprop',
    vocab: 15_000,
    tokenizer: 'word',
    fill: true,
    clip: 0,
  });
  expect(recipeFor('intl', { preset: 'mid' })).toMatchObject({ preset: 'mid', tokenizer: 'word' });
});

it('ends the schedule with the run only where the length of the run is its own', () => {
  expect(recipeFor('intl', {}).schedule).toBe('linear');
  expect(recipeFor('intl', { steps: 40 })).toMatchObject({ schedule: 'inverse-sqrt', steps: 40 });
  expect(recipeFor('intl', { epochs: 2 }).schedule).toBe('inverse-sqrt');
  expect(recipeFor('intl', { steps: 40, schedule: 'linear' }).schedule).toBe('linear');
});
