// The HTML report of a training log.
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { script, scriptHash } from '../../../src/train/report/report-page.ts';
import { type LogRecord, mfuIn } from '../../../src/train/report/training-log.ts';
import { trainingReport } from '../../../src/train/report/training-report.ts';
import { dev, end, example, samples, start, step } from './example.ts';

const page = trainingReport(example());

/** Tags that open and do not close, or the other way round. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  const voids = ['meta', 'input', 'line', 'path'];
  const body = markup.replace(/<(script|style)>[\s\S]*?<\/\1>/g, '');
  for (const [, close, name = '', own] of body.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
    if (close) {
      if (open.pop() !== name) return [`</${name}> after <${open.at(-1)}>`];
    } else if (!own && !voids.includes(name)) open.push(name);
  }
  return open;
}

it('makes one page without external resources', () => {
  expect(page.startsWith('<!doctype html>')).toBe(true);
  expect(unbalanced(page)).toEqual([]);
  expect(page).not.toMatch(/\b(src|href|srcset|action)\s*=|@import|url\(|https?:|<link|<img|<iframe/i);
  expect(page).toContain("default-src 'none'");
  expect(page).toContain('name="viewport"');
  expect(page).toContain('prefers-color-scheme: dark');
});

it('allows no script but its own', () => {
  expect(scriptHash).toBe(`sha256-${createHash('sha256').update(script).digest('base64')}`);
  expect(page).toContain(`script-src '${scriptHash}'`);
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).toContain(`<script>${script}</script>`);
  expect(() => new Function(script)).not.toThrow();
  expect(page).not.toMatch(/\son[a-z]+\s*=/);
});

it('shows the metric that fits large: BLEU of sentences, exact match of words', () => {
  const large = (text: string) => /class="card main"><dt>([^<]*)/.exec(text)?.[1];
  expect(large(page)).toBe('BLEU on 500 test sentences');
  const ofWords = example().map((record): LogRecord => {
    if (record.type !== 'samples') return record;
    const one = record.samples.map((sample) => ({ ...sample, reference: 'palabra' }));
    return { ...record, samples: one };
  });
  expect(large(trainingReport(ofWords))).toBe('exact match on 500 test sentences');
  // A run that was stopped, or has testSentences 0, has no samples.
  const stopped = example().filter(
    (record) => record.type !== 'samples' && !(record.type === 'eval' && record.part === 'test'),
  );
  expect(large(trainingReport(stopped))).toMatch(/^BLEU on .* dev sentences$/);
});

it('has one MFU: that of the end of the run, or the mean of its updates', () => {
  const steps = [0.1, 0.3].map((mfu, i) => ({ ...step(i + 1), mfu }));
  expect(mfuIn({ steps, ends: [] })).toBeCloseTo(0.2);
  expect(mfuIn({ steps, ends: [end({ step: 2, mfu: 0.25 })] })).toBe(0.25);
});

it('shows results, curves, translations and settings', () => {
  for (const text of [
    'BLEU on 500 test sentences',
    'BLEU',
    'chrF2',
    'perplexity, test',
    'Loss, nats per target token',
    'logarithmic',
    'Learning rate',
    'Target tokens per second',
    'Gradient norm before clipping',
    '48 of 60 are exact',
    'dawn mesa llvmpipe',
    '824,320 parameters',
    '38,400',
    '117.7 MiB',
    '143',
    '64x12x16, 64x24x28',
    'optimizer.beta2',
    '2026-11-24 17:05 UTC',
  ])
    expect(page).toContain(text);
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
});

it('marks translations by signs and words, and underlines what differs', () => {
  expect(page).toContain('<b>✓</b>exact');
  expect(page).toContain('<b>✗</b>differs');
  expect(page).toContain('<del>mayo</del> ');
  expect(page).toContain('<ins>marzo</ins> ');
});

it('escapes hostile text from any source', () => {
  const bad = `"><img src=x onerror=alert(1)></style></script><script>alert(1)</script>'\`&\u0000\u202e`;
  const sample = { source: bad, reference: bad, translation: `${bad}!`, exact: false };
  const hostile = trainingReport([
    start({
      heddle: bad,
      time: bad,
      backend: bad,
      preset: bad,
      config: { [bad]: bad, nested: { [bad]: [bad] } },
      recipe: { [bad]: bad },
      corpus: { ...start().corpus, name: bad, tokenizer: bad },
      arguments: { [bad]: bad },
    }),
    step(1),
    samples(0, { samples: [sample, { ...sample, exact: true }] }),
  ]);
  expect(unbalanced(hostile)).toEqual([]);
  expect(hostile.match(/<script/g)).toHaveLength(1);
  expect(hostile).not.toContain('<img');
  expect(hostile).not.toContain('\u0000');
  expect(hostile.match(/<style>/g)).toHaveLength(1);
  expect(hostile).toContain('&lt;img');
});

const cases: [string, LogRecord[]][] = [
  ['a head alone', [start()]],
  ['one step', [start(), step(1), end({ step: 1 })]],
  [
    'losses that are not finite',
    [start(), step(1, { loss: Number.NaN, gradientNorm: Number.NaN, skipped: true }), step(2)],
  ],
  [
    'nothing but such losses',
    [start(), step(1, { loss: Number.NaN, accuracy: Number.NaN, tokensPerSecond: Number.NaN })],
  ],
  ['one evaluation', [start(), step(1), dev(1)]],
  [
    'evaluations without translations',
    [
      start(),
      step(1),
      { type: 'eval', step: 1, part: 'dev', loss: 2, perplexity: Number.POSITIVE_INFINITY, seconds: 1 },
    ],
  ],
  ['no plan', [(({ plan, ...rest }) => rest)(start()), step(1)]],
  [
    'translations that are empty',
    [start(), samples(0, { samples: [{ source: 'a', reference: 'b', translation: '', exact: false }] })],
  ],
];

it.each(cases)('makes a whole page of %s', (_, records) => {
  const page = trainingReport(records);
  expect(unbalanced(page)).toEqual([]);
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
});

it('notes an incomplete log, a stopped run and skipped updates', () => {
  expect(trainingReport([start(), step(1), step(2)])).toContain(
    'training was interrupted after step 2 of 1,500',
  );
  expect(trainingReport([start(), step(1), end({ step: 1, reason: 'stopped' })])).toContain(
    'Training was stopped after step 1 of 1,500.',
  );
  expect(trainingReport([start(), step(1), end({ step: 1, skipped: 1 })])).toContain('1 update was skipped');
  expect(page).not.toContain('class="note"');
});

it('marks an empty translation', () => {
  expect(trainingReport(cases.at(-1)?.[1] ?? [])).toContain('<i>nothing</i>');
});

it('grows slowly with the length of a training run', () => {
  expect(trainingReport(example(30_000)).length).toBeLessThan(300_000);
});

it('shows attention and gates of the last probe: an SSRU has gates over time in place of self-attention', () => {
  const bytes = (...values: number[]) => btoa(String.fromCharCode(...values));
  const probe: LogRecord = {
    type: 'probe',
    step: 9,
    source: ['a', '<b>'],
    target: ['[start]', 'x', 'y'],
    next: [],
    attention: [
      { kind: 'encoder', layer: 0, heads: 2, weights: bytes(255, 0, 51, 204, 255, 0, 51, 204) },
      { kind: 'cross', layer: 0, heads: 1, weights: bytes(255, 0, 0, 255, 0, 255) },
    ],
    gates: [{ layer: 0, channels: 2, values: bytes(0, 255, 255, 255, 51, 51) }],
  };
  const shown = trainingReport([...example(), probe]);
  expect(unbalanced(shown)).toEqual([]);
  expect(page).not.toContain('Inside the model');
  for (const text of [
    'Inside the model',
    'Encoder: self-attention',
    'Decoder: cross-attention',
    'gates over time',
  ])
    expect(shown).toContain(text);
  expect(shown).not.toContain('Decoder: self-attention');
  expect(shown).toContain('y="1" width="1" height="1" fill-opacity="0.20"');
  expect(shown).toContain('<path class="line" d="M0 0.500 L1 0.000 L2 0.800"/>');
  expect(shown).toMatch(/<td><bdi>y<.bdi><.td><td>20[^<]*%<.td>/);
});
