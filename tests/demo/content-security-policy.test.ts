// The content security policy of the built pages.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { contentSecurityPolicy, trainingPagePolicy } from '../../demo/content-security-policy.ts';
import { demo } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const { open } = demo();
const pages = [
  'index.html',
  'train.html',
  'documents.html',
  'speech.html',
  'language.html',
  'learn.html',
  'lab.html',
  'code.html',
];

it('allows no inline code, no eval and no other origins, except the hub for pages that download models', () => {
  expect(contentSecurityPolicy).toContain("default-src 'self'");
  expect(contentSecurityPolicy).toContain("connect-src 'self';");
  expect(contentSecurityPolicy).not.toMatch(/unsafe|data:|https?:|\*/);
  expect(trainingPagePolicy).toBe(
    contentSecurityPolicy.replace(
      "connect-src 'self'",
      "connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co https://storage.googleapis.com",
    ),
  );
});

it.each([...pages, '../headless-page.html'])('places the policy of %s before everything it loads', (name) => {
  const html = readFileSync(join(dirname(distFile('demo/index.html')), name), 'utf8');
  const wanted = ['train.html', 'speech.html'].includes(name) ? trainingPagePolicy : contentSecurityPolicy;
  const policy = html.indexOf(`<meta http-equiv="Content-Security-Policy" content="${wanted}"`);
  expect(policy).toBeGreaterThan(0);
  expect(policy).toBeLessThan(html.search(/<script|<link/));
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+="|\bstyle="/);
});

it('builds the workers as separate files', () => {
  const folder = join(dirname(distFile('demo/index.html')), 'assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(scripts.filter((name) => /^(training|lab)-worker-/.test(name)).length).toBeGreaterThan(0);
  // Scripts of the pages only, not those of peers.
  const own = scripts.filter((name) => /^(index|lab|training-worker|lab-worker)-/.test(name));
  const inlined = own.filter((name) =>
    /createObjectURL\(new Blob\(\[[^)]*javascript/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect(inlined).toEqual([]);
});

it.each(pages)('%s opens without an error and requests only its own origin', async (name) => {
  const { page, requests, errors } = await open(name);
  await page.waitForSelector('#top a');
  expect(requests.length).toBeGreaterThan(2);
  expect(errors).toEqual([]);
  await page.close();
});

it.each(['train.html', 'lab.html'])(
  '%s blocks inline scripts and requests to other origins',
  async (name) => {
    const { page, errors } = await open(name);
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.ran = true';
      document.body.append(script);
      return fetch('http://127.0.0.1:1/').catch(() => {});
    });
    await page.waitForFunction(() => true);
    expect(await page.evaluate(() => 'ran' in globalThis)).toBe(false);
    const seen = errors.join('\n');
    expect(seen).toMatch(/policy: script-src-elem inline/);
    expect(seen).toMatch(/policy: connect-src http:\/\/127\.0\.0\.1:1/);
    await page.close();
  },
);
