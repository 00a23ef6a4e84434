// The table of runs in terminals of several widths.

import stringWidth from 'string-width';
import { expect, it } from 'vitest';
import type { RunSummary } from '../../src/api/run-summaries.ts';
import { describeRuns } from '../../src/commands/runs-table.ts';

const run = (n: number): RunSummary => ({
  folder: `/home/someone/experiments/translation/runs/long-name-of-a-run-${n}`,
  settings: {
    pairs: `corpus-${n}.tsv (12000)`,
    seed: n,
    learningRate: 0.001 * n,
    'model.feedForward': 64 * n,
    preset: n === 1 ? 'tiny' : 'small',
    vocabSize: 1000 * n,
    schedule: 'inverse-sqrt',
    batchSize: 8 * n,
  },
  step: 100,
  steps: 400,
  state: 'stopped',
  final: {},
  seconds: 100,
  tokensPerSecond: 12_345,
  mfu: 0.071,
  best: {
    loss: { value: 3.25, step: 100 },
    bleu: { value: 12.5, step: 100 },
    perplexity: { value: 25, step: 90 },
  },
  adapter: `dawn mesa software llvmpipe ${n}`,
  parameters: 1000,
  targetVocabulary: 1000,
});
const runs = [run(1), run(2)];
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

it('fits terminals, keeps what matters most, and names what is left out', () => {
  for (const width of [60, 80, 100, 132, 200]) {
    const text = describeRuns(runs, width);
    expect(widest(text)).toBeLessThanOrEqual(width);
    expect(text).toContain('long-name-of-a-run-1');
    expect(text).toContain('3.2500 @100');
  }
  const narrow = describeRuns(runs, 80);
  expect(narrow).toContain('12.50 @100');
  expect(narrow.replaceAll('\n', ' ')).toMatch(
    /not shown in 80 columns: adapter, tokens\/s, .*--json or a wider terminal shows all/,
  );
});

it('measures names as the terminal shows them, with control characters escaped', () => {
  const hostile = '\u001b[31mred\u001b[0m\n'.repeat(3);
  const text = describeRuns(
    [{ ...run(1), folder: hostile, settings: { pairs: hostile, seed: hostile } }, run(2)],
    80,
  );
  expect(widest(text)).toBeLessThanOrEqual(80);
  expect(text).not.toContain('\u001b');
  expect(text.split('\n')[1]).toMatch(/\\u001b\[0m +\\u001b\[31mred/);
});

it('shows all columns in a wide terminal or a file', () => {
  for (const text of [describeRuns(runs, Number.POSITIVE_INFINITY), describeRuns(runs, 400)]) {
    expect(text).not.toContain('not shown');
    for (const part of [
      'model.feedForward',
      'inverse-sqrt',
      'dawn mesa software llvmpipe 2',
      '12,345',
      runs[0]?.folder,
    ])
      expect(text).toContain(part);
  }
});

it('measures wide characters, emoji and combining marks as the terminal shows them', () => {
  const names = ['実験/翻訳モデル', '실험', 'cafe\u0301', '👩‍👩‍👧 run', 'plain'];
  expect(names.map((name) => stringWidth(name))).toEqual([15, 4, 4, 6, 5]);
  const shown = describeRuns(names.map((folder) => ({ ...run(1), folder, settings: {} })));
  const lines = shown.split('\n').slice(0, 6);
  expect(
    new Set(lines.map((line) => stringWidth(line.slice(0, line.search(/\b(?:state|stopped)\b/))))).size,
  ).toBe(1);
  const long = describeRuns(
    [1, 2].map((n) => ({ ...run(n), folder: `${'翻訳'.repeat(40)}${n}` })),
    40,
  );
  for (const line of long.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(40);
  expect(long).toMatch(/訳2 +3\.2500 @100/);
});

it('names runs of one seed group by their settings, and says what cannot be compared', () => {
  const seeds = [1, 2].flatMap((seed) =>
    [0.1, 0.2].map((learningRate) => ({ ...run(seed), settings: { seed, learningRate } })),
  );
  expect(describeRuns(seeds)).toContain('2 seeds, learningRate 0.1: dev loss');
  const [a, b] = [run(1), run(2)];
  const other = describeRuns([
    { ...a, settings: { 'dev pairs': 'a.tsv (80)' } },
    { ...b, settings: { 'dev pairs': 'b.tsv (80)' } },
  ]);
  expect(other).toContain('the runs have different dev pairs: their dev metrics cannot be compared');
  expect(other).toContain('loss/char');
  // Vocabularies of one size with other tokens: another number of characters in each.
  const tokens = [3.5, 3.6].map((charactersPerToken) => ({ ...a, settings: {}, charactersPerToken }));
  expect(describeRuns(tokens)).toContain(
    'the runs have different vocabularies: compare BLEU, chrF2 and loss/char',
  );
  expect(describeRuns(tokens.slice(0, 1))).not.toContain('loss/char');
});

it('cuts and escapes the adapter of a log', () => {
  const adapter = `gpu\u001b[31m\u202e ${'z'.repeat(6000)}`;
  const text = describeRuns([{ ...run(1), adapter }], 100);
  expect(text).toContain('all on gpu\\u001b[31m\\u202e');
  expect(widest(text)).toBeLessThan(201);
});
