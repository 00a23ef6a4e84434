// A tab that crashes while it saves, on Chrome's real OPFS: the folder of the model is always complete.
import { resolve } from 'node:path';
import type { Page } from 'puppeteer';
import { build } from 'vite';
import { beforeAll, expect, it } from 'vitest';
import type { BrowserFiles, browserFiles } from '../../src/files/browser-files.ts';
import type { writeFolder } from '../../src/files/owned-folder.ts';
import type { settledFolder } from '../../src/files/settled-folder.ts';
import { demo } from '../support/demo.ts';

const { open } = demo();
const rounds = 8;

declare global {
  var storage: {
    browserFiles: typeof browserFiles;
    writeFolder: typeof writeFolder;
    settledFolder: typeof settledFolder;
  };
  var files: BrowserFiles;
  /** Number of the last checkpoint that was saved. */
  var saved: number;
}

const source = (name: string) => resolve(import.meta.dirname, '../../src/files', name);

/** The modules that the page calls, as one. */
const storageModule = {
  name: 'storage',
  resolveId: (id: string) => (id.endsWith('storage') ? '\0storage' : undefined),
  load: (id: string) =>
    id === '\0storage'
      ? `export * from ${JSON.stringify(source('browser-files.ts'))};
         export * from ${JSON.stringify(source('owned-folder.ts'))};
         export * from ${JSON.stringify(source('settled-folder.ts'))};`
      : undefined,
};

/** Those modules bundled as a script for the page. */
let script: string;
beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [storageModule],
    build: {
      write: false,
      minify: false,
      lib: {
        entry: 'storage',
        formats: ['iife'],
        name: 'storage',
      },
    },
  });
  const [{ output }] = built as unknown as [{ output: { code: string }[] }];
  script = `${output[0]?.code}\nglobalThis.storage = storage;`;
});

/** Opens a page of the origin with the storage of models but without a training. */
async function openStorage(): Promise<Page> {
  const { page } = await open('icon.svg');
  await page.evaluate(script);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    globalThis.files = storage.browserFiles(await root.getDirectoryHandle('killed', { create: true }));
    globalThis.saved = 0;
  });
  return page;
}

/** Saves checkpoints one after the other as a training does. */
const startSaving = (page: Page, first: number): Promise<void> =>
  page.evaluate((first) => {
    const save = async (n: number): Promise<void> => {
      const bytes = new Uint8Array(300_000).fill(n % 256);
      await storage.writeFolder(files, 'models/x', { a: bytes, b: bytes, c: bytes });
      globalThis.saved = n;
      return save(n + 1);
    };
    void save(first);
  }, first);

/** Returns the number that fills every file. Throws if files differ or one is truncated. */
const readCheckpoint = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    await storage.settledFolder(files, 'models/x');
    const names = (await files.list('models/x')).filter((name) => /^\w$/.test(name));
    if (names.join() !== 'a,b,c') throw new Error(`the folder has ${names}`);
    const all = await Promise.all(names.map((name) => files.read(`models/x/${name}`)));
    const [n] = all[0] as Uint8Array;
    for (const bytes of all)
      if (bytes.length !== 300_000 || bytes.some((b) => b !== n))
        throw new Error('a checkpoint is not whole');
    return n as number;
  });

it('leaves a complete checkpoint: the last one that was saved or the next', async () => {
  let page = await openStorage();
  let at = 0;
  for (let round = 0; round < rounds; round++) {
    await startSaving(page, at + 1);
    await page.waitForFunction((n) => globalThis.saved > n, { polling: 1 }, at);
    await new Promise((done) => setTimeout(done, 7 * round)); // a different moment of the save each round
    const saved = await page.evaluate(() => globalThis.saved);
    const client = await page.createCDPSession();
    await Promise.race([
      client.send('Page.crash').catch(() => {}),
      new Promise((done) => page.once('error', done)),
    ]);
    await page.close();
    page = await openStorage();
    at = await readCheckpoint(page);
    expect(at).toBeGreaterThanOrEqual(saved % 256);
  }
  await page.close();
});
