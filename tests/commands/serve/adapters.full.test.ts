// heddle serve with two trained models and two LoRA adapters in one process: 64 clients at a time get what
// heddle translate gives for their model and adapter.
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { intlCorpus } from '../../../src/text/intl/intl-corpus.ts';
import { type Ended, heddle, heddleProcess, scratch } from '../../support/cli.ts';

const at = (name: string) => join(scratch(), name);
const model = (name: string) => resolve(import.meta.dirname, '../../../demo/models', `${name}.safetensors`);
const [spanish, japanese] = [model('en-es'), model('en-ja')];
const pairs = intlCorpus({ pairs: 240, seed: 8, source: 'en', target: 'es' });
const texts = [...new Set(pairs.slice(200).map(({ source }) => source))].slice(0, 24);

/** What clients ask for: a model and an adapter. */
const demands = [
  { target: 'es' },
  { target: 'es', lora_adapter: 'capitals' },
  { target: 'es', lora_adapter: 'copies' },
  { target: 'ja' },
] as const;

async function ok(ended: Promise<Ended>): Promise<string> {
  const { status, stdout, stderr } = await ended;
  expect(status, stderr).toBe(0);
  return stdout;
}

/** Trains an adapter of the Spanish model that changes its translations. */
async function trainAdapter(name: string, change: (source: string, target: string) => string): Promise<void> {
  const lines = pairs.slice(0, 200).map(({ source, target }) => `${source}\t${change(source, target)}\n`);
  writeFileSync(at(`${name}.tsv`), lines.join(''));
  const settings = ['--lora-rank', '8', '--lora-target-modules', '*', '--learning-rate', '5e-3', '--no-tune'];
  const size = ['--steps', '60', '--batch-size', '16', '--held-out', '0.02', '--test-sentences', '0'];
  await ok(heddle(['train', at(`${name}.tsv`), '--init', spanish, ...settings, ...size, '--out', at(name)]));
}

/** The translations of `texts` for each demand, by `heddle translate`. */
const expected: string[][] = [];

beforeAll(async () => {
  await trainAdapter('capitals', (_, target) => target.toUpperCase());
  await trainAdapter('copies', (source) => source);
  for (const { target, ...adapter } of demands) {
    const lora = 'lora_adapter' in adapter ? ['--lora', at(adapter.lora_adapter)] : [];
    const out = await ok(
      heddle(['translate', target === 'es' ? spanish : japanese, ...texts, ...lora, '--no-tune']),
    );
    expected.push(out.trimEnd().split('\n'));
  }
});

/** Starts the server; resolves to its URL and its end. */
function serve(): Promise<{ url: string; child: ChildProcess; ended: Promise<Ended> }> {
  return new Promise((resolve, reject) => {
    const loras = `capitals=${at('capitals')},copies=${at('copies')}`;
    const args = [`en-es=${spanish}`, `en-ja=${japanese}`, '--lora', loras, '--no-tune'];
    const ended = heddleProcess(['serve', ...args, '--port', '0'], {
      timeout: 400_000,
      onStart(child) {
        let log = '';
        const read = (data: unknown) => {
          log += data;
          const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(log) ?? [];
          if (url) resolve({ url, child, ended });
        };
        child.stdout?.on('data', read);
        child.stderr?.on('data', read);
      },
    });
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
}

it('the adapters change translations', () => {
  for (const [i, texts] of expected.entries())
    for (const other of expected.slice(i + 1))
      expect(texts.filter((text, k) => text !== other[k]).length).toBeGreaterThan(texts.length / 2);
});

it('answers 64 clients at a time with their model and adapter', async () => {
  const { url, child, ended } = await serve();
  const post = async (path: string, body: object) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ source: 'en', ...body }),
    });
    return { status: response.status, text: await response.text() };
  };
  await Promise.all(
    Array.from({ length: 64 }, async (_, client) => {
      const which = client % demands.length;
      const wanted = expected[which] ?? [];
      for (let round = 0; round < 3; round++) {
        const own = [0, 1].map((i) => (7 * client + 3 * round + i) % texts.length);
        const q = own.map((i) => texts[i]);
        // Some clients stream.
        if (client % 16 === 5) {
          const { text } = await post('/translate/stream', { ...demands[which], q: q[0] });
          const last = JSON.parse(text.trim().split('\n\n').at(-1)?.slice('data: '.length) ?? '');
          expect(last, `client ${client}`).toEqual({ done: true, translatedText: wanted[own[0] ?? 0] });
          continue;
        }
        const { status, text } = await post('/translate', { ...demands[which], q });
        expect(status, text).toBe(200);
        expect(JSON.parse(text).translatedText, `client ${client}`).toEqual(own.map((i) => wanted[i]));
      }
    }),
  );
  const none = await post('/translate', { q: 'a', target: 'ja', lora_adapter: 'copies' });
  expect([none.status, none.text]).toEqual([
    400,
    '{"error":"en to ja is not supported with lora_adapter copies"}',
  ]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const batches = Number(/^heddle_batch\w*_count (\d+)/m.exec(metrics)?.[1] ?? 0);
  expect(batches, metrics).toBeGreaterThan(0);
  child.kill('SIGTERM');
  expect((await ended).status).toBe(0);
});

it('refuses an adapter that fits no model', async () => {
  const args = [`en-ja=${japanese}`, '--lora', `copies=${at('copies')}`, '--port', '0'];
  const { status, stderr } = await heddleProcess(['serve', ...args]);
  expect([status, stderr]).toEqual([1, expect.stringContaining('was trained on another model')]);
});
