// Tables of benchmark results: which results are shown, and the base of the ratios.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  enduranceFaults,
  firstUses,
  kernelSpeedup,
  kernelsTable,
  latest,
  origins,
  readResults,
  section,
  speedup,
  stepsTable,
  summaryTable,
} from '../../bench/result-tables.mjs';
import { errorNaming } from '../support/expect-error.ts';

const timed = (contestant: string, medianMs: number) => ({
  contestant,
  steps: 7,
  medianMs,
  minMs: medianMs,
  maxMs: medianMs,
  ratio: medianMs / 100,
  tokensPerSecond: 1000,
  firstStepMs: 2500,
  hostMs: 1,
  hostMinMs: 0.5,
  peakBytes: 3 * 2 ** 20,
  libraryBytes: null,
  dispatches: 98,
  submits: 1,
  objects: 0,
  lastLoss: 1,
});
const result = (what: string, host: string, date: string, ms = 100) => ({
  what,
  host,
  date,
  adapter: { vendor: 'mesa', architecture: '', device: '', description: 'llvmpipe (LLVM 19, 256 bits)' },
  machine: { cpu: 'CPU', cores: 2 },
  versions: { heddle: '0.1.0' },
  load: [0, 0],
  steps: { timed: [timed('heddle', ms), timed('tfjs', 300), timed('jax-js', 250)] },
});
const form = (contestant: string, us: number) => ({
  contestant,
  form: 'own',
  us,
  gflops: null,
  calls: 1,
  error: 0,
});

/** The last line of a table without its padding. */
const lastLine = (table: string) => table.split('\n').at(-1)?.replace(/ +/g, ' ');

describe('bench tables', () => {
  it('compares heddle with the faster peer', () => {
    expect(speedup([timed('heddle', 100), timed('tfjs', 300), timed('jax-js', 250)])).toBe(2.5);
  });

  it('compares the best forms of a kernel', () => {
    const forms = [form('heddle', 10), form('tfjs', 90), form('tfjs', 40), form('jax-js', 50)];
    expect(kernelSpeedup({ forms })).toBe(4);
    expect(lastLine(kernelsTable({ kernels: [{ name: 'k', forms }] }))).toBe(
      '| k | 10 µs | 40 µs | 50 µs | 4.00× |',
    );
  });

  it('has no ratio if heddle or every peer is missing', () => {
    expect(kernelSpeedup({ forms: [form('heddle', 10)] })).toBeNaN();
    expect(lastLine(kernelsTable({ kernels: [{ name: 'k', forms: [form('tfjs', 10)] }] }))).toBe(
      '| k | 10 µs | – |',
    );
  });

  it('shows the latest result for each subject, host and adapter, in the order of the cases', () => {
    const results = [
      result('mid', 'dawn', '2026-01-02T00:00:00Z'),
      result('small', 'dawn', '2026-01-03T00:00:00Z', 50),
      result('small', 'dawn', '2026-01-01T00:00:00Z'),
      result('small', 'chrome', '2026-01-01T00:00:00Z'),
    ];
    expect(latest(results).map((r) => [r.what, r.host, r.date.slice(0, 10)])).toEqual([
      ['small', 'dawn', '2026-01-03'],
      ['small', 'chrome', '2026-01-01'],
      ['mid', 'dawn', '2026-01-02'],
    ]);
  });

  it('prints the environment and the range of loads of the results once', () => {
    const results = [
      result('small', 'dawn', '2026-01-01'),
      { ...result('mid', 'dawn', '2026-01-01'), load: [0.5, 2] },
    ];
    expect(origins(results)).toHaveLength(1);
    expect(origins(results)[0]).toMatch(/2026-01-01; load average 0\.0 to 2\.0$/);
    expect(origins([...results, result('small', 'chrome', '2026-01-01')])).toHaveLength(2);
    const versions = { heddle: '0.1.0 (abc)', tfjs: '4' };
    const later = {
      ...result('base', 'dawn', '2026-01-02'),
      versions: { ...versions, heddle: '0.1.0 (def)' },
    };
    expect(origins([{ ...result('mid', 'dawn', '2026-01-01'), versions }, later])).toEqual([
      expect.stringMatching(/; heddle 0\.1\.0 \(abc, def\), tfjs 4; 2026-01-01, 2026-01-02; load/),
    ]);
  });

  it('has a dash as ratio if only heddle ran a case', () => {
    const alone = { ...result('base', 'dawn', '2026-01-01'), steps: { timed: [timed('heddle', 100)] } };
    expect(lastLine(summaryTable([alone]))).toContain('| – | 100 | – | – | – |');
  });

  it('prints steps with their bytes and counts', () => {
    const table = summaryTable([result('small', 'dawn', '2026-01-01T00:00:00Z')]);
    expect(lastLine(table)).toBe(
      '| small | lavapipe, Dawn in Node | – | 100 | 300 | 250 | 2.5× | 3 / 3 / 3 | 98 / 98 / 98 | 2.5 / 2.5 / 2.5 |',
    );
    expect(stepsTable(result('small', 'dawn', '2026-01-01T00:00:00Z')).replace(/ +/g, ' ')).toContain(
      '| heddle | 100 (100–100) | 1.00 |',
    );
  });
});

describe('a first use', () => {
  const tuning = { ms: 12000, firstStepUntunedMs: 4700, untunedMs: 157, choices: {} };
  const small = result('small', 'dawn', '2026-01-01T00:00:00Z');
  const measured = { ...small, steps: { ...small.steps, tuning: { ...tuning, firstUseMs: 7900 } } };

  it('is in the note under a table and under the summary', () => {
    expect(stepsTable(measured)).toMatch(
      /a step 157 ms; on a new adapter, .* the first step takes 7\.9 s\.$/,
    );
    expect(firstUses([measured, small])).toEqual([expect.stringMatching(/: small 7\.9 s \(Dawn in Node\)$/)]);
  });

  it('is omitted if it was not measured', () => {
    expect(stepsTable({ steps: { ...small.steps, tuning } })).toMatch(/a step 157 ms\.$/);
    expect(firstUses([small])).toEqual([]);
  });
});

it('names the contestant that ratios refer to if heddle is missing', () => {
  const table = stepsTable({ steps: { timed: [timed('jax-js', 100), timed('tfjs', 300)] } });
  expect(table.split('\n')[0]).toContain('times jax-js');
});

describe('an endurance test', () => {
  const good = {
    steps: 2000,
    warmups: 100,
    firstMs: 100,
    lastMs: 104.9,
    bytesBefore: 64,
    bytesAfter: 64,
    sameBits: true,
  };

  it('has no faults within 5 %', () => {
    expect(enduranceFaults(good)).toEqual([]);
    expect(enduranceFaults({ ...good, lastMs: 95.1 })).toEqual([]);
    expect(
      section({ ...result('small-endurance', 'dawn', '2026-01-01'), steps: undefined, endured: good }),
    ).toMatch(
      /100 ms after a warm-up of 100, 104\.9 ms at the end \(\+4\.9 %\); .* the same losses, bit for bit\.$/,
    );
  });

  it.each([
    [{ lastMs: 105.1 }, /slower than the first by 5\.1 %/],
    [{ lastMs: 94.1 }, /faster than the first by 5\.9 %/],
    [{ lastMs: Number.NaN }, /slower/],
    [{ bytesAfter: 65 }, /buffers grew or shrank: 64 bytes after warm-up, 65 at the end/],
    [{ sameBits: false }, /different losses/],
  ])('has one if %j', (change, fault) => {
    const endured = { ...good, ...change };
    expect(enduranceFaults(endured)).toEqual([expect.stringMatching(fault)]);
    const shown = section({ ...result('small-endurance', 'dawn', '2026-01-01'), steps: undefined, endured });
    expect(shown).toContain('The endurance test failed: ');
  });
});

it('shows a decoding benchmark: speed by batch size, and times of tokens', () => {
  const decode = {
    same: { heddle: 8, 'transformers.js wasm': 7 },
    of: 8,
    rows: [
      { contestant: 'heddle', batch: 8, tokensPerSecond: 473.4, ratio: 1 },
      { contestant: 'transformers.js wasm', batch: 8, tokensPerSecond: 313, ratio: 1.512 },
    ],
    tokens: {
      heddle: { firstMs: 9.4, startMs: 2.57, endMs: 2.6 },
      'transformers.js wasm': { firstMs: 1.57, startMs: 0.5, endMs: 0.56 },
    },
    readyMs: { heddle: 100, 'transformers.js wasm': 1200 },
    firstResultMs: { heddle: 8000, 'transformers.js wasm': 2600 },
    downloads: { heddle: 2 ** 20, 'transformers.js': 29 * 2 ** 20 },
  };
  const shown = section({ ...result('decoding small', 'chrome', '2026-01-01'), steps: undefined, decode });
  expect(shown).toMatch(/\| transformers\.js wasm \| all +\| 8 +\| 313 +\| 1\.51 +\|/);
  expect(shown).toMatch(
    /\| transformers\.js wasm \| 7 of 8 +\| 1\.2 +\| 2\.6 +\| 1\.57 +\| 0\.50 +\| 0\.56 \| – +\| – +\| – +\| – +\| 29 +\|/,
  );
  const [three, five] = [3 * 2 ** 20, 5 * 2 ** 20];
  const bytes = { bytesBefore: three, bytesAfter: three, heapBefore: five, heapAfter: five };
  const memory = {
    heddle: { sentences: 1000, objects: 0, ...bytes },
    'transformers.js wasm': { sentences: 8, objects: 0, ...bytes },
  };
  const rows = decode.rows.map((row) => ({ ...row, length: 'long' }));
  const newer = { ...decode, rows, memory, maxTokens: 63, notes: ['No peer.'] };
  const longer = section({
    ...result('decoding small', 'chrome', '2026-01-01'),
    steps: undefined,
    decode: newer,
  });
  expect(longer).toMatch(/\| heddle +\| long +\| 8 /);
  expect(longer).toMatch(/\| ms a token, start \| at 63 +\| objects created \|/);
  expect(longer).toMatch(/\| 2\.57 +\| 2\.60 +\| 0 +\| 1000 +\| 3, then 3 +\| 5, then 5 +\|/);
  expect(longer).toMatch(/\n\nNo peer\.$/);
});

describe('results in a folder', () => {
  const readFrom = (files: Record<string, string>) => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-results-'));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      return readResults(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const whole = result('small', 'dawn', '2026-01-01');
  const text = JSON.stringify(whole);

  it('are read from its JSON files', () => {
    expect(readFrom({ 'a.json': text, 'README.md': '#' })).toEqual([whole]);
  });

  it('are an error that names the file if numbers are missing', () => {
    const lacking = text.replace('"medianMs":300', '"medianMs":null');
    expect(() => readFrom({ 'a.json': text, 'b.json': lacking })).toThrow(
      errorNaming('b.json', 'steps.timed.1.medianMs', 'null'),
    );
    expect(() => readFrom({ 'c.json': '{"what": ' })).toThrow(errorNaming('c.json'));
    expect(() => readFrom({ 'd.json': '{"what": "small"}' })).toThrow(errorNaming('d.json'));
  });
});
