// The page of docs/deploy.md: an exported model translates in headless Chrome with transformers.js, on wasm
// and on WebGPU. Skipped by name if transformers.js cannot be installed.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installTransformers } from '../../../bench/decode/install-transformers.mjs';
import { Translator } from '../../../src/decode/translator.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { onnxFiles } from '../../../src/features/onnx/export/save-onnx.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { launchChrome } from '../../../src/host/chrome.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { serveFolder } from '../../../src/host/static-server.ts';
import { initializeWeights } from '../../../src/model/initialize-weights.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { quantizedParameters } from '../../../src/model/quantized-parameters.ts';
import { waitLimit } from '../../support/time-limits.ts';
import { trainWords } from '../../support/tokenizers.ts';

const root = resolve(import.meta.dirname, '../../..');
const site = mkdtempSync(join(tmpdir(), 'heddle-deploy-'));
afterAll(() => rmSync(site, { recursive: true }));

/** A model with random weights that are large enough for its translations to differ. */
function model() {
  const source = trainWords(['Where is the station? cat dog house'], { size: 30 });
  const target = trainWords(['el la rojo verde azul gato perro casa'], { size: 30 });
  const sizes = { dModel: 16, heads: 2, feedForward: 32, maxLength: 16 };
  const config = modelConfig({ srcVocab: source.size, tgtVocab: target.size, ...sizes });
  const weights = initializeWeights(config, parameterList(config), 3).map((x) => 3 * x);
  return { config, source, target, weights };
}

const missing = installTransformers();

describe.runIf(missing === undefined)('docs/deploy.md (needs npm packages)', () => {
  const page = /```html\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs/deploy.md'), 'utf8'))?.[1] ?? '';
  const modules = join(root, 'bench/decode/node_modules');

  it('translates in ten lines, on wasm and on WebGPU', async () => {
    const saved = model();
    await writeFolder(nodeFiles(), join(site, 'models/en-es'), onnxFiles(saved, { dtype: 'q8' }));
    symlinkSync(join(modules, '@huggingface/transformers/dist'), join(site, 'transformers'));
    symlinkSync(join(modules, 'onnxruntime-web/dist'), join(site, 'ort'));
    const document = (html: string) => `<!doctype html><meta charset="utf-8"><body>${html}`;
    writeFileSync(join(site, 'index.html'), document(page));
    const onGpu = page.replace(
      "pipeline('translation', 'en-es')",
      "pipeline('translation', 'en-es', { device: 'webgpu' })",
    );
    expect(onGpu).not.toBe(page);
    writeFileSync(join(site, 'gpu.html'), document(onGpu));

    const translator = new Translator(cpuEngine(), saved, {
      parameters: quantizedParameters(parameterList(saved.config), 'int8'),
      shape: { batch: 1 },
    });
    const [expected] = await translator.translate(['Where is the station?']);
    const [chrome, server] = await Promise.all([launchChrome({ gpu: 'swiftshader' }), serveFolder(site)]);
    try {
      for (const path of ['', 'gpu.html']) {
        const tab = await chrome.openPage(server.url + path);
        tab.setDefaultTimeout(waitLimit);
        const errors: string[] = [];
        tab.on('pageerror', (error) => errors.push(String(error)));
        await tab.waitForFunction('go.onclick !== null');
        await tab.click('#go');
        await tab.waitForFunction('out.value !== ""');
        expect(await tab.$eval('#out', (out) => (out as HTMLOutputElement).value.trim()), path).toBe(
          expected?.trim(),
        );
        expect(errors).toEqual([]);
        await tab.close();
      }
    } finally {
      await Promise.all([chrome.close(), server.close()]);
    }
  });
});
