// The built training page with its real worker, end to end: pick a file, train a tiny model, pause, reload,
// resume, translate, export and import.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer';
import { afterAll, expect, it, vi } from 'vitest';
import { features } from '../../src/features/features.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { unzipModel } from '../../src/files/model-archives.ts';
import { writeFolder } from '../../src/files/owned-folder.ts';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { unzip, zipParts } from '../../src/files/zip.ts';
import { hfFiles } from '../../src/formats/hf/save-hf.ts';
import { loadModelFolder } from '../../src/formats/model-folder.ts';
import type { OutgoingModel } from '../../src/formats/model-format.ts';
import { readSentencePiece } from '../../src/text/sentencepiece/sentencepiece-model.ts';
import {
  atBothWidths,
  demo,
  fillSmallTraining,
  pickFiles,
  untilText,
  withoutModels,
} from '../support/demo.ts';
import { mainThreadTasks } from '../support/main-thread.ts';
import { loadMultilingual, sentencePieceFile, t5Pieces, withFlags } from '../support/sentencepiece.ts';
import { waitLimit } from '../support/time-limits.ts';
import { tinyCorpus } from '../support/training.ts';

const { open } = demo(withoutModels);
const folder = mkdtempSync(join(tmpdir(), 'heddle-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const press = (page: Page, name: string) =>
  page.locator(`::-p-aria([name="${name}"][role="button"])`).click();

/** Presses a button and returns the bytes of the file that it downloads. */
async function downloaded(page: Page, button: string, name: string): Promise<Uint8Array> {
  const path = join(folder, name);
  await press(page, button);
  return vi.waitFor(
    () => {
      // Chrome creates an empty file of the final name, and renames the complete file to it.
      const bytes = readFileSync(path);
      expect([bytes.length > 0, readdirSync(folder).filter((file) => file.endsWith('.crdownload'))]).toEqual([
        true,
        [],
      ]);
      return bytes;
    },
    { timeout: waitLimit },
  );
}

it('trains on a file, resumes after a reload, translates, and exports and imports models', async () => {
  const { page, errors, screenshot } = await open('train.html?tune=0');
  const client = await page.createCDPSession();
  await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
  writeFileSync(join(folder, 'words.tsv'), tinyCorpus);
  await page.locator('input[value="file"]').click();
  await pickFiles(page, '#corpus input[type="file"]', join(folder, 'words.tsv'));
  await untilText(page, '#corpus', 'words\\.tsv');

  await fillSmallTraining(page, { steps: 30, evaluateEvery: 10 });
  await page.waitForSelector('#start:not([disabled])');
  await untilText(page, '#corpus-summary', 'pairs\\s*96');
  await untilText(page, '#plan-summary', 'parameters\\s*[\\d,]{6,}');

  await page.locator('#start').click();
  await untilText(page, '#run', 'step [1-9]\\d* of 30');
  await press(page, 'Pause');
  await untilText(page, '.state', 'Paused');

  await page.reload();
  await untilText(page, '#notices', 'The training of words stopped at step \\d+ of 30');
  await press(page, 'Resume training');
  await untilText(page, '.state', 'Done');
  await untilText(page, '#run', 'step 30 of 30');
  await page.waitForSelector('.samples tbody tr');
  expect(await page.$$eval('.samples tbody tr', (rows) => rows.length)).toBe(4);
  expect(await page.$eval('#now-loss', (e) => Number(e.textContent))).toBeGreaterThan(0);
  await page.$eval('.chart', (chart) => chart.scrollIntoView());
  await page.waitForSelector('#curves canvas');

  // The run is scored on a file of pairs.
  await page.locator('[data-run="words"] input').click();
  await pickFiles(page, '#runs-pairs', join(folder, 'words.tsv'));
  await page.$eval('#runs-evaluate', (e) => e.scrollIntoView({ block: 'center', behavior: 'instant' }));
  await page.locator('#runs-evaluate:not([disabled])').click();
  await untilText(page, '#runs', '96 pairs.*words\\d+\\.\\d\\d \\(\\d+\\.\\d\\d ± \\d');
  await untilText(page, '#runs details', 'version:heddle');

  await page.locator('#translate-text').fill('one two');
  await page.locator('#translate').click();
  await untilText(page, '#translate-box [role="status"]', '\\d+ tokens in .* · words, step 30');
  await page.waitForSelector('.heat-cells');
  expect(await page.$$eval('.heat text', (labels) => labels.map((l) => l.textContent))).toEqual(
    expect.arrayContaining(['one', 'two']),
  );
  await screenshot('train-end-to-end');

  const weights = await downloaded(
    page,
    'Download words as safetensors, without its checkpoint',
    'words.safetensors',
  );
  expect(Object.keys(readSafetensors(weights)).some((name) => name.includes('self_attn'))).toBe(true);
  const archive = await downloaded(page, 'Download words as a zip archive, with its checkpoint', 'words.zip');
  expect(new TextDecoder().decode(archive.subarray(0, 2))).toBe('PK');
  // The export for transformers.js has the files that heddle convert writes of the same model.
  const exported = await downloaded(
    page,
    'Export for transformers.js: download words as ONNX files',
    'words-onnx.zip',
  );
  const memory = memoryFiles();
  await writeFolder(memory, 'words', await unzipModel(archive, 'words.zip'));
  const onnx = features.formats.find(({ names }) => names.includes('onnx'));
  const model = await loadModelFolder(memory, 'words');
  const wanted = (await onnx?.write?.({ model, dtype: 'q8' } as OutgoingModel)) ?? {};
  const found = await unzip(exported, 'words-onnx.zip');
  expect(Object.keys(found).sort()).toEqual(
    [...Object.keys(wanted), 'README.md', 'heddle-manifest.json', 'heddle.safetensors'].sort(),
  );
  for (const [name, bytes] of Object.entries(wanted)) expect(found[name]?.length, name).toBe(bytes.length);
  await press(page, 'Delete words');
  await page.waitForSelector('dialog[open]');
  await press(page, 'Delete');
  await page.waitForFunction(() => !document.querySelector('[data-model="words"]'));
  await pickFiles(page, '#import-model', join(folder, 'words.zip'));
  await untilText(page, '#models-message', 'words\\.zip was imported as words');
  await pickFiles(page, '#import-model', join(folder, 'words.safetensors'));
  await untilText(page, '#models-message', 'words\\.safetensors was imported as words 2');
  await pickFiles(page, '#import-model', join(folder, 'words-onnx.zip'));
  await untilText(page, '#models-message', 'words-onnx\\.zip was imported as words-onnx');
  await page.waitForSelector('[data-model="words-onnx"]');
  await page.focus('::-p-aria([name="Load words-onnx to translate with it"][role="button"])');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box [role="status"]', 'words-onnx is loaded|· words-onnx');
  await page.focus('#translate');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box [role="status"]', ' tokens in .*· words-onnx');
  await page.waitForSelector('[data-model="words 2"]'); // the list is drawn again, with new buttons
  // By keyboard: the list of models grows, and the page scrolls when it shows the curves of a model; a click
  // then misses.
  await page.focus('::-p-aria([name="Load words to translate with it"][role="button"])');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box [role="status"]', 'words is loaded|· words, step 30');
  await page.focus('#translate');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box [role="status"]', '· words, step 30');
  await press(page, 'Rename words');
  await page.waitForSelector('dialog[open]');
  await page.locator('dialog input').fill('renamed');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box .tag', '^renamed$');
  await page.focus('#translate');
  await page.keyboard.press('Enter');
  await untilText(page, '#translate-box [role="status"]', '· renamed, step 30');

  // The page's own models, which `withoutModels` does not serve.
  expect(errors.filter((error) => !/^console: Failed to load resource.*\.safetensors$/.test(error))).toEqual(
    [],
  );
  await page.close();
});

it('says what an export for transformers.js does otherwise, and downloads it', async () => {
  const { page, errors } = await open('train.html?tune=0');
  const client = await page.createCDPSession();
  await client.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
  const { charsmap } = readSentencePiece(
    readFileSync('tests/fixtures/sentencepiece/bpe.model'),
    'bpe.model',
  ).normalizer;
  const model = await loadMultilingual(
    't5',
    { vocab_size: 9, pad_token_id: 0, eos_token_id: 1, decoder_start_token_id: 0 },
    { 'spiece.model': withFlags(sentencePieceFile(t5Pieces), { denormalizer: charsmap }) },
  );
  writeFileSync(join(folder, 'denormalized.zip'), Buffer.concat(zipParts(hfFiles(model, 't5'))));
  await pickFiles(page, '#import-model', join(folder, 'denormalized.zip'));
  await untilText(page, '#models-message', 'denormalized\\.zip was imported as denormalized');
  const label = 'Export for transformers.js: download denormalized as ONNX files';
  const found = await unzip(await downloaded(page, label, 'denormalized-onnx.zip'), 'denormalized-onnx.zip');
  expect(Object.keys(found)).toContain('onnx/encoder_model_quantized.onnx');
  await untilText(
    page,
    '#notices',
    'differently from heddle: the denormalizer is not applied to translations',
  );
  expect(errors.filter((error) => !/^console: Failed to load resource.*\.safetensors$/.test(error))).toEqual(
    [],
  );
  await page.close();
});

it('trains ten pasted pairs until Done, with a final evaluation and a warning, and never blocks the page', async () => {
  const { page, errors } = await open('train.html?tune=0');
  await page.locator('input[value="paste"]').click();
  await page.$eval('#corpus textarea', (area) => {
    (area as HTMLTextAreaElement).value = Array.from(
      { length: 10 },
      (_, i) => `word ${i}\tpalabra ${i}`,
    ).join('\n');
    area.dispatchEvent(new Event('input', { bubbles: true }));
  });
  await page.select('#settings select', 'tiny');
  await untilText(page, '#corpus-summary', 'pairs\\s*10training pairs\\s*9dev pairs\\s*1');
  const warning = '9 training pairs: the model will memorize them. About 1,000 pairs are a start';
  await untilText(page, '#run', warning);
  // Ten pairs get 300 updates; 100 show the same, and test:full trains all.
  const epochs = '::-p-aria([name="Epochs"][role="spinbutton"])';
  expect(
    await page
      .locator(epochs)
      .map((field) => (field as HTMLInputElement).value)
      .wait(),
  ).toBe('300');
  const steps = process.env.HEDDLE_FULL ? 300 : 100;
  await page.locator(epochs).fill(String(steps));
  await page.locator('#start').click();
  await untilText(page, '#run', `step [1-9]\\d* of ${steps}`);
  const tasks = await mainThreadTasks(page, () =>
    untilText(page, '#samples', 'Step [12]00: \\d of 1 translations'),
  );
  expect(Math.max(...tasks)).toBeLessThan(200); // milliseconds of CPU time
  await untilText(page, '.state', 'Done');
  await atBothWidths(page, async () => {
    await untilText(page, '#run', `step ${steps} of ${steps}[\\s\\S]*${warning}`);
    await untilText(page, '#samples', `^Step ${steps}: \\d of 1 translations`);
    expect(await page.$eval('#curves .numbers tbody tr', (row) => row.textContent)).toMatch(
      new RegExp(`^${steps}\\d+\\.\\d{3}`),
    );
    expect(await page.$eval('#now-accuracy', (e) => e.textContent)).toMatch(/^[\d.]+ %$/);
  });
  expect(errors.filter((error) => !/^console: Failed to load resource.*\.safetensors$/.test(error))).toEqual(
    [],
  );
  await page.close();
}, 400_000);
