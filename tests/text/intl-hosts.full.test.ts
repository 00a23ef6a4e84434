// The corpus in Chrome and in Node, whose ICU versions differ: training there and here sees the same
// sentences.
import { resolve } from 'node:path';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { launchChrome } from '../../src/host/chrome.ts';
import { serveFolder } from '../../src/host/static-server.ts';
import { type IntlPair, intlCorpus } from '../../src/text/intl/intl-corpus.ts';

/** src/text/intl/intl-corpus.ts as a script that makes `corpus.intlCorpus`. */
async function script(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: {
        entry: resolve(import.meta.dirname, '../../src/text/intl/intl-corpus.ts'),
        formats: ['iife'],
        name: 'corpus',
      },
    },
  });
  const [{ output }] = built as unknown as [{ output: { code: string }[] }];
  return output[0]?.code ?? '';
}

it('makes the same pairs in Chrome as in Node', async () => {
  const [code, chrome, server] = await Promise.all([
    script(),
    launchChrome({ gpu: 'swiftshader' }),
    serveFolder(undefined),
  ]);
  try {
    const page = await chrome.openPage(server.url);
    for (const target of ['es', 'fr']) {
      const options = { pairs: 5000, target };
      const there = (await page.evaluate(
        `(() => { ${code}; return corpus.intlCorpus(${JSON.stringify(options)}); })()`,
      )) as IntlPair[];
      const here = intlCorpus(options);
      const other = here.filter((pair, i) => JSON.stringify(pair) !== JSON.stringify(there[i]));
      // CLDR 48 and what Chromium 156 carries agree in all; the room is for a name that some other version
      // writes otherwise.
      expect(other.slice(50)).toEqual([]);
    }
  } finally {
    await Promise.all([chrome.close(), server.close()]);
  }
});
