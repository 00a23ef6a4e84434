// The server with clients as Weblate and OmegaT are, many at once, and clients that hang or send rubbish.
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Access, type AccessOptions } from '../../../src/commands/serve/access.ts';
import { TranslationServer } from '../../../src/commands/serve/http-server.ts';
import { Metrics } from '../../../src/commands/serve/metrics.ts';
import { ServedModel } from '../../../src/commands/serve/served-models.ts';
import { TranslateHandler } from '../../../src/commands/serve/translate-handler.ts';
import { HeddleError } from '../../../src/core/errors.ts';
import { errorOfKind } from '../../support/expect-error.ts';
import { fakeModel } from '../../support/fake-sentence-model.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/**
 * A server whose model writes capitals; `batches` are the texts of each call of the model. `texts`: the model
 * begins when so many have come.
 */
async function start(
  access: Partial<AccessOptions> = {},
  {
    maxTexts = 1000,
    maxBodyBytes = 10_000,
    delay = 1,
    timeout = 9000, // that of `heddle serve`
    texts: expected = 0,
    losesDevice = false,
  } = {},
) {
  const batches: string[][] = [];
  let calls = 0;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const fake = fakeModel((text) => (text === 'fail' ? fail() : text.toUpperCase()), batches);
  const model = {
    ...fake,
    async generate(texts: readonly string[], options?: object) {
      begin();
      do await new Promise((resolve) => setTimeout(resolve, delay));
      while (batches.length === 0 && texts.length + served.queue.waiting < expected);
      // The device is lost in each second call.
      if (losesDevice && ++calls % 2 === 1) throw new HeddleError('the device is lost', { kind: 'device' });
      return fake.generate(texts, options);
    },
    async *stream(text: string) {
      yield* text.toUpperCase().split(/(?<= )/);
    },
    useLora: () => undefined,
    dispose: () => undefined,
  } as unknown as ServedModel['model'];
  const metrics = new Metrics();
  const served = new ServedModel(
    'm',
    model,
    { source: 'en', target: 'es' },
    { batchSize: 16, maxTexts },
    metrics,
    new Set(['legal']),
  );
  const handler = new TranslateHandler(
    [served],
    { characters: 5000, texts: 50, alternatives: 3 },
    { decode: {} },
  );
  const errors: unknown[] = [];
  const server = new TranslationServer(handler, {
    access: new Access({ keys: [], requestsPerMinute: 0, isLocal: true, ...access }),
    metrics,
    maxBodyBytes,
    waiting: () => served.queue.waiting,
    onError: (error) => errors.push(error),
    timeout,
  });
  const port = await server.listen(0, '127.0.0.1');
  closing.push(() => server.close(1000));
  const url = `http://127.0.0.1:${port}`;
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse((await response.text()) || 'null'),
    };
  };
  return {
    url,
    port,
    post,
    batches,
    begun,
    errors,
    server,
    get: async (path: string) => (await fetch(url + path)).text(),
  };
}

const fail = (): never => {
  throw new Error('/secret/path: boom');
};

const pair = { source: 'en', target: 'es' };

it("answers LibreTranslate's requests: text, lists, forms", async () => {
  const { post, get, url } = await start();
  expect((await post('/translate', { q: 'Hello you. And him?', ...pair })).body).toEqual({
    translatedText: 'HELLO YOU. AND HIM?',
  });
  expect((await post('/translate', { q: ['one', 'two'], ...pair })).body).toEqual({
    translatedText: ['ONE', 'TWO'],
  });
  // HTML needs a guest.
  expect((await post('/translate', { q: '<p>one</p>', format: 'html', ...pair })).status).toBe(400);
  const auto = await post('/translate', { q: 'what is it', source: 'auto', target: 'es' });
  expect(auto.body).toEqual({
    translatedText: 'WHAT IS IT',
    detectedLanguage: { language: 'en', confidence: expect.any(Number) },
  });
  const form = await fetch(`${url}/translate`, {
    method: 'POST',
    body: new URLSearchParams({ q: 'a b', ...pair }),
  });
  expect(await form.json()).toEqual({ translatedText: 'A B' });
  const multipart = new FormData();
  for (const [name, value] of Object.entries({ q: 'c d', ...pair })) multipart.set(name, value);
  expect(await (await fetch(`${url}/translate`, { method: 'POST', body: multipart })).json()).toEqual({
    translatedText: 'C D',
  });
  expect(JSON.parse(await get('/languages'))).toEqual([
    { code: 'en', name: 'English', targets: ['es'] },
    { code: 'es', name: 'Spanish', targets: [] },
  ]);
  expect(JSON.parse(await get('/health'))).toEqual({ status: 'ok' });
  expect(JSON.parse(await get('/frontend/settings'))).toMatchObject({
    keyRequired: false,
    charLimit: 5000,
    language: { source: { code: 'en', name: 'English' }, target: { code: 'es', name: 'Spanish' } },
  });
  const head = await fetch(`${url}/health`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect(await get('/metrics')).toMatch(/heddle_requests_total\{endpoint="\/translate",status="200"\} 5/);
});

it('streams a translation as server-sent events', async () => {
  const { url } = await start();
  const response = await fetch(`${url}/translate/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ q: 'one two. Three.', ...pair }),
  });
  const events = (await response.text())
    .trim()
    .split('\n\n')
    .map((line) => JSON.parse(line.slice('data: '.length)));
  expect(events.at(-1)).toEqual({ done: true, translatedText: 'ONE TWO. THREE.' });
  expect(
    events
      .slice(0, -1)
      .map(({ text }) => text)
      .join(''),
  ).toBe('ONE TWO. THREE.');
});

it('batches 64 concurrent clients and mixes nothing up', async () => {
  const clients = Array.from({ length: 64 }, (_, client) => client);
  const { post, batches } = await start(
    {},
    // A body may pause on a busy machine; without its texts the model would not begin.
    { texts: clients.reduce((n, client) => n + 1 + (client % 5), 0), timeout: 60_000 },
  );
  const texts = (client: number) =>
    Array.from({ length: 1 + (client % 5) }, (_, i) => `client ${client} text ${i}`);
  const answers = await Promise.all(
    clients.map((client) => post('/translate', { q: texts(client), ...pair })),
  );
  for (const [client, { status, body }] of answers.entries()) {
    expect(status).toBe(200);
    expect(body.translatedText).toEqual(texts(client).map((text) => text.toUpperCase()));
  }
  expect(batches.length).toBeLessThanOrEqual(1 + Math.ceil(190 / 16));
  expect(Math.max(...batches.map((batch) => batch.length))).toBe(16);
});

it('translates again what a lost device has interrupted, while others wait', async () => {
  const { post, batches } = await start({}, { losesDevice: true });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => post('/translate', { q: `text ${i}`, ...pair })),
  );
  expect(answers.map(({ body }) => body.translatedText)).toEqual(answers.map((_, i) => `TEXT ${i}`));
  expect(batches.flat()).toHaveLength(20);
});

it('refuses rubbish with a reason, and goes on', async () => {
  const { post, get, errors, url } = await start({}, { maxBodyBytes: 2000 });
  const bad: [string, unknown, number, string][] = [
    ['/translate', '{', 400, 'not a JSON object'],
    ['/translate', '[1]', 400, 'not a JSON object'],
    ['/translate', pair, 400, 'q is missing'],
    ['/translate', { q: 5, ...pair }, 400, 'q is not a text'],
    ['/translate', { q: 'a', source: 'en', target: 'xx' }, 400, 'en to xx is not supported'],
    ['/translate', { q: 'a', source: { a: 1 }, target: 'es' }, 400, 'source is missing'],
    ['/translate', { q: 'a', format: 'pdf', ...pair }, 400, 'format must be'],
    ['/translate', { q: 'a', alternatives: 1e9, ...pair }, 400, 'alternatives must be'],
    ['/translate', { q: 'a', lora_adapter: '__proto__', ...pair }, 400, 'lora_adapter is unknown'],
    ['/translate', { q: 'a'.repeat(5000), ...pair }, 413, 'more than 2000 bytes'],
    ['/nothing', {}, 404, 'not found'],
    ['/languages', {}, 405, 'POST is not allowed'],
    ['/translate', { q: 'fail', ...pair }, 500, 'the translation failed'],
  ];
  for (const [path, body, status, message] of bad) {
    const answer = await post(path, body);
    expect([answer.status, answer.body.error]).toEqual([status, expect.stringContaining(message)]);
  }
  expect(errors).toHaveLength(1);
  expect(
    (await fetch(`${url}/translate`, { method: 'POST', body: 'x', headers: { 'content-type': 'text/xml' } }))
      .status,
  ).toBe(415);
  expect(JSON.parse(await get('/health'))).toEqual({ status: 'ok' });
});

it('closes connections that hang or send no HTTP', async () => {
  const { port, get } = await start({}, { timeout: 1000 });
  const ends = (data: string) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(data));
      socket.on('close', () => resolve());
      socket.on('error', () => undefined);
      socket.resume();
    });
  await ends('\x16\x03\x01 not http\r\n\r\n');
  // A body that does not come; others are answered meanwhile.
  const begin = performance.now();
  const hanging = ends(
    'POST /translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  expect(JSON.parse(await get('/health'))).toEqual({ status: 'ok' });
  // Headers that do not end, and a body of which a byte comes now and then.
  const headers = ends('GET /health HTTP/1.1\r\nHost: localhost\r\nX-');
  await Promise.all([hanging, headers]);
  expect(performance.now() - begin).toBeLessThan(8000);
  const slow = connect(port, '127.0.0.1');
  const answer = new Promise<string>((resolve) => {
    let text = '';
    slow.on('data', (part) => {
      text += part;
    });
    slow.on('close', () => resolve(text));
  });
  const body = JSON.stringify({ q: 'slow', ...pair });
  slow.write(
    `POST /translate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  for (const part of body.match(/.{1,9}/g) ?? []) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    slow.write(part);
  }
  expect(await answer).toContain('"translatedText":"SLOW"');
});

it('detects languages, also those that it does not translate, and says that it is unsure', async () => {
  const { post } = await start();
  const detect = async (q: string) => (await post('/detect', { q })).body[0];
  expect(await detect('Where is the railway station, please?')).toMatchObject({ language: 'en' });
  const french = await detect('Ceci est un texte français.');
  expect(french.language).toBe('fr');
  expect(french.confidence).toBeGreaterThan(50);
  expect((await detect('hotel')).confidence).toBeLessThanOrEqual(50);
  expect(await detect('12 345')).toEqual({ language: 'und', confidence: 0 });
  const auto = { source: 'auto', target: 'es' };
  expect((await post('/translate', { q: 'Ceci est un texte français.', ...auto })).body).toEqual({
    error: 'fr to es is not supported',
  });
  expect((await post('/translate', { q: 'hotel', ...auto })).body).toMatchObject({ translatedText: 'HOTEL' });
});

it('returns a text that is in the target language already', async () => {
  const { post, batches } = await start();
  const spanish = '¿Dónde está la estación de tren, por favor?';
  const { body } = await post('/translate', { q: spanish, source: 'auto', target: 'es' });
  expect(body).toMatchObject({ translatedText: spanish, detectedLanguage: { language: 'es' } });
  expect((await post('/translate', { q: ['a', 'b'], source: 'es', target: 'es' })).body).toEqual({
    translatedText: ['a', 'b'],
  });
  expect((await post('/translate', { q: 'a', source: 'es-MX', target: 'es' })).body.translatedText).toBe('a');
  expect(batches).toEqual([]);
  expect((await post('/translate', { q: 5, ...pair })).body.error).toContain('q is not a text');
});

it('describes itself without a key, and slows down who guesses keys', async () => {
  const { post, get } = await start({ keys: ['right'] });
  const spec = JSON.parse(await get('/spec'));
  expect(spec.openapi).toBe('3.1.0');
  for (const [path, methods] of Object.entries<object>(spec.paths))
    for (const method of Object.keys(methods))
      if (method === 'get' && path !== '/metrics')
        expect(JSON.parse(await get(path)), path).not.toHaveProperty('error');
  expect(JSON.parse(await get('/languages'))[0].code).toBe('en');
  expect(JSON.parse(await get('/frontend/settings')).keyRequired).toBe(true);
  const as = async (key: string) => (await post('/translate', { q: 'a', ...pair, api_key: key })).status;
  expect(await as('right')).toBe(200);
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push(await as(`wrong ${i}`));
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
  expect(await as('right')).toBe(429);
});

it('forgets the texts of a client that is gone', async () => {
  const { url, batches, post } = await start({}, { delay: 30 });
  const gone = new AbortController();
  const lost = fetch(`${url}/translate`, {
    method: 'POST',
    signal: gone.signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ q: Array.from({ length: 50 }, (_, i) => `lost ${i}`), ...pair }),
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  gone.abort();
  await expect(lost).rejects.toThrow(errorOfKind('aborted'));
  expect((await post('/translate', { q: 'here', ...pair })).body).toEqual({ translatedText: 'HERE' });
  expect(batches.flat().filter((text) => text.startsWith('lost')).length).toBeLessThan(50);
});

it('limits the queue, the rate, keys, origins and host names', async () => {
  const full = await start({}, { maxTexts: 10, delay: 30 });
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      full.post('/translate', { q: [`a ${i}`, `b ${i}`, `c ${i}`], ...pair }),
    ),
  );
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200, 503]));
  expect(all.find(({ status }) => status === 503)?.headers.get('retry-after')).toBe('5');

  const limited = await start({ keys: ['k1', 'k2'], requestsPerMinute: 2 });
  const ask = (api_key?: string, headers = {}) =>
    limited.post('/translate', { q: 'a', ...pair, api_key }, headers);
  expect((await ask()).body).toEqual({ error: 'an API key is required' });
  expect((await ask('no')).status).toBe(403);
  expect((await ask('k1')).status).toBe(200);
  expect((await ask(undefined, { authorization: 'Bearer k1' })).status).toBe(200);
  const late = await ask('k1');
  expect([late.status, Number(late.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect((await ask('k2')).status).toBe(200);

  const { url } = await start();
  const from = (headers: Record<string, string>) => fetch(`${url}/languages`, { headers });
  expect((await from({ origin: 'https://evil.example' })).status).toBe(403);
  expect((await from({})).headers.get('access-control-allow-origin')).toBe(null);
  const open = await start({ cors: 'https://good.example' });
  const answer = await fetch(`${open.url}/languages`, { headers: { origin: 'https://good.example' } });
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://good.example');
});

it('finishes open requests when it stops', async () => {
  const { post, server, get, begun } = await start({}, { delay: 60 });
  const open = post('/translate', { q: 'last words', ...pair });
  await begun; // a request that the server does not have yet is refused
  const closed = server.close(5000);
  expect((await open).body).toEqual({ translatedText: 'LAST WORDS' });
  await closed;
  await expect(get('/health')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});
