// Scores of stored models on a file: each model translates it, the others are compared with the first.
import { expect, it } from 'vitest';
import { evaluateRuns } from '../../demo/train/worker/evaluate-runs.ts';
import { train } from '../../src/entries/heddle.node.ts';
import { tinyCorpus, tinySizes } from '../support/training.ts';

it('scores models on the pairs of a file, in the order of their names', async () => {
  const pairs = tinyCorpus.split('\n').map((line) => {
    const [source = '', target = ''] = line.split('\t');
    return { source, target };
  });
  const loaded: string[] = [];
  const load = async (name: string) => {
    loaded.push(name);
    const settings = { preset: 'tiny', model: tinySizes, tokenizer: 'word', dropout: 0 } as const;
    const length = { steps: 2, seed: loaded.length, evalSteps: 0, testSentences: 0, heldOut: 0 };
    return train(pairs, { ...settings, ...length, device: 'cpu' });
  };
  const file = new File([tinyCorpus.split('\n').slice(0, 12).join('\n')], 'dev.tsv');
  const { report, html } = await evaluateRuns(['a', 'b'], file, {
    load,
    signal: new AbortController().signal,
  });
  expect(loaded).toEqual(['a', 'b']);
  expect(report.pairs).toBe(12);
  expect(report.systems.map(({ name, bleu }) => [name, bleu.p === undefined])).toEqual([
    ['a', true],
    ['b', false],
  ]);
  expect(report.signatures.join()).toContain('bs:1000|seed:12345');
  expect(html).toContain('<h2>Worst sentences by chrF2</h2>');
});
