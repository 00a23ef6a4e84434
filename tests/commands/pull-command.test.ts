// `heddle pull` from a local server that acts as the hub.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Hub, startHub } from '../files/hub/hub.ts';
import { heddle, heddleProcess, isOneLine, scratch } from '../support/cli.ts';
import { smallHfJson } from '../support/hf.ts';

const text = (value: string) => new TextEncoder().encode(value);
const model = Uint8Array.from({ length: 6_000_000 }, (_, i) => (i * 2654435761) >>> 13);
const names = ['config.json', 'heddle-manifest.json', 'model.safetensors', 'vocab.json'];

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({
    'config.json': text('{}'),
    'model.safetensors': model,
    'vocab.json': text('{}'),
    x: text('x'),
  });
});
afterAll(() => hub.close());

const out = (name: string) => join(scratch(), name);
const run = (args: string[], env: Record<string, string> = {}) =>
  heddle(['pull', ...args], { env: { HF_ENDPOINT: hub.url, ...env } });

it('downloads a model into a folder and lists the files', async () => {
  const json = out('pulled.json');
  const { status, stdout, stderr } = await run(['me/it', '--out', out('a'), '--json', json]);
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    folder: out('a'),
    files: expect.arrayContaining([{ name: 'model.safetensors', bytes: model.length }]),
  });
  expect([status, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, out('a')]);
  expect(stdout).toMatch(/^model\.safetensors +5\.7 MiB$/m);
  expect(stderr).toMatch(/^pull 6\/6 {2}MB {2}model\.safetensors, [\d.]+ MB\/s$/m);
  expect(readdirSync(out('a')).sort()).toEqual(names);
  expect(readFileSync(join(out('a'), 'model.safetensors')).equals(model)).toBe(true);
});

it('replaces a folder only by --force', async () => {
  const { status, stderr } = await run(['me/it', '--out', out('a')]);
  expect([status, isOneLine(stderr)]).toEqual([1, true]);
  expect(stderr).toContain('--force');
  expect(
    (await run(['me/it', '--out', out('a'), '--force', '--hub', hub.url], { HF_ENDPOINT: '' })).status,
  ).toBe(0);
});

it('resumes the download of a killed process', async () => {
  hub.state.stalls['model.safetensors'] = 5_000_000;
  const killed = await heddleProcess(['pull', 'me/it', '--out', out('b')], {
    env: { HF_ENDPOINT: hub.url },
    onStart(child) {
      const timer = setInterval(() => {
        const parts = join(out('b.part'), 'model.safetensors.part');
        if (!existsSync(parts) || !readdirSync(parts).some((name) => name.startsWith('0-'))) return;
        clearInterval(timer);
        child.kill('SIGKILL');
      }, 50);
    },
  });
  expect(killed.status).toBe(null);
  expect(existsSync(out('b'))).toBe(false);
  hub.log.length = 0;
  expect((await run(['me/it', '--out', out('b')])).status).toBe(0);
  const ranges = hub.log.filter(({ path }) => path === '/cdn/model.safetensors').map(({ range }) => range);
  expect(ranges).toEqual([expect.stringMatching(/^bytes=4\d{6}-$/)]);
  expect(readFileSync(join(out('b'), 'model.safetensors')).equals(model)).toBe(true);
  expect(readdirSync(scratch()).filter((name) => name.endsWith('.part'))).toEqual([]);
});

it.each<[string, string[], Record<string, string>, RegExp]>([
  ['no such model', ['me/nothing'], {}, /me\/nothing.*there is no such model/],
  ['no such revision', ['me/it', '--revision', 'v9'], {}, /there is no such model, revision or file/],
  ['no name', ['it'], {}, /"it" is not the name of a model; write OWNER\/NAME/],
  [
    'a hub that is not there',
    ['me/it'],
    { HF_ENDPOINT: 'http://127.0.0.1:9999' },
    /127\.0\.0\.1:9999 refuses the connection/,
  ],
  ['the working directory', ['me/it', '--out', './'], {}, /use a folder for this model only/],
])('prints one line for %s', async (_, args, env, message) => {
  const { status, stdout, stderr } = await run(
    args.includes('--out') ? args : [...args, '--out', out('none')],
    env,
  );
  expect([status, stdout, isOneLine(stderr)]).toEqual([1, '', true]);
  expect(stderr).toMatch(message);
  expect(existsSync(out('none'))).toBe(false);
});

it('sends the token of HF_TOKEN', async () => {
  hub.state.token = 'secret';
  try {
    const rejected = await run(['me/it', '--out', out('c')]);
    expect(rejected.stderr).toContain('put an access token into HF_TOKEN');
    expect((await run(['me/it', '--out', out('c')], { HF_TOKEN: 'secret' })).status).toBe(0);
  } finally {
    delete hub.state.token;
  }
});

it('says what a model needs, and downloads no weights above the memory budget', async () => {
  const other = await startHub({
    'config.json': text(JSON.stringify(smallHfJson('bart'))),
    'model.safetensors': model,
  });
  const pull = (name: string, ...args: string[]) =>
    run(['me/it', '--out', out(name), '--memory-budget', ...args], { HF_ENDPOINT: other.url });
  try {
    const refused = await pull('small', '2000');
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^heddle: me\/it needs .* \(weights .*; the memory budget is 2.0 KiB; no format/m,
      ),
    ]);
    expect(other.log.some(({ method, path }) => method === 'GET' && path.endsWith('.safetensors'))).toBe(
      false,
    );
    const { status, stderr } = await pull('large', '1G', '--weights', 'int8');
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^me\/it needs .* with weights in int8$/m)]);
  } finally {
    await other.close();
  }
});
