// The built pages as anyone may host them: whole, from their own origin alone, under a strict policy.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { contentSecurityPolicy } from '../../demo/content-security-policy.ts';
import { demo } from '../support/demo.ts';
import { distFile } from '../support/dist.ts';

const { open } = demo();
const pages = ['index.html', 'lab.html'];

it('allows nothing that stands inside a page, is evaluated, or comes from elsewhere', () => {
  expect(contentSecurityPolicy).toContain("default-src 'self'");
  expect(contentSecurityPolicy).toContain("connect-src 'self'");
  expect(contentSecurityPolicy).not.toMatch(/unsafe|data:|https?:|\*/);
});

it.each([...pages, '../page/index.html'])('puts the policy before everything that %s loads', (name) => {
  const html = readFileSync(join(dirname(distFile('demo/index.html')), name), 'utf8');
  const policy = html.indexOf(`<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}"`);
  expect(policy).toBeGreaterThan(0);
  expect(policy).toBeLessThan(html.search(/<script|<link/));
  expect(html).not.toMatch(/<style|<script(?![^>]*\bsrc=)|\bon\w+="|\bstyle="/);
});

it('keeps the workers as files of their own', () => {
  const folder = join(dirname(distFile('demo/index.html')), 'assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
  expect(scripts.filter((name) => /^(training|lab)-worker-/.test(name)).length).toBeGreaterThan(0);
  // What belongs to the pages themselves; a peer has parts that the lab never asks for.
  const own = scripts.filter((name) => /^(index|lab|training-worker|lab-worker)-/.test(name));
  const inlined = own.filter((name) =>
    /createObjectURL\(new Blob\(\[[^)]*javascript/.test(readFileSync(join(folder, name), 'utf8')),
  );
  expect(inlined).toEqual([]);
});

it.each(pages)('%s opens without a fault and asks its own origin alone', async (name) => {
  const { page, requests, faults } = await open(name);
  await page.waitForSelector('#top a');
  expect(requests.length).toBeGreaterThan(2);
  expect(faults).toEqual([]);
  await page.close();
});

it('sees a page that breaks the policy', async () => {
  const { page, faults } = await open('lab.html');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = true';
    document.body.append(script);
    return fetch('http://127.0.0.1:1/').catch(() => {});
  });
  await page.waitForFunction(() => true);
  expect(await page.evaluate(() => 'ran' in globalThis)).toBe(false);
  const seen = faults.join('\n');
  expect(seen).toMatch(/policy: script-src-elem inline/);
  expect(seen).toMatch(/policy: connect-src http:\/\/127\.0\.0\.1:1/);
  await page.close();
});
