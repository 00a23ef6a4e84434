// Memory of a process that loads a large model, as Linux reports it: /proc/PID/status.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';
import { distFile } from '../../support/dist.ts';
import { writeNllbShape } from '../../support/nllb-shape.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Translates with a small model, then with the large one; says when, and waits for a line in between. */
const program = () => `
  import { once } from 'node:events';
  const { loadModel } = await import(${JSON.stringify(distFile('heddle.node.js'))});
  const small = await loadModel(${JSON.stringify(resolve('demo/models/en-es.safetensors'))});
  await small.translate('one');
  console.log('ready');
  await once(process.stdin, 'data');
  const large = await loadModel(${JSON.stringify(folder)}, { weights: 'int8' });
  await large.translate('5 6 7', { maxNewTokens: 2 });
  console.log('translated');
  await once(process.stdin, 'data');
  process.exit();`;

/** A field of /proc/PID/status in bytes. */
function memoryOf(pid: number | undefined, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(status.split(`${field}:`)[1]?.trim().split(' ')[0]);
}

/** Bytes of the weights in int8, which on lavapipe are memory of the process. */
const weights = 616e6;

it.skipIf(!existsSync('/proc/self/status'))(
  'of a model in int8 is little more than its weights',
  async () => {
    await writeNllbShape(folder);
    const child = spawn(process.execPath, ['--input-type=module', '-e', program()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const lines = createInterface(child.stdout);
      await once(lines, 'line');
      const before = memoryOf(child.pid, 'VmRSS');
      child.stdin.write('\n');
      await once(lines, 'line');
      const [now, peak] = [memoryOf(child.pid, 'VmRSS'), memoryOf(child.pid, 'VmHWM')];
      console.log(`before ${before / 1e6} MB, after ${now / 1e6} MB, peak ${peak / 1e6} MB`);
      // Activations, keys and values, compiled kernels, and the parts of weights that wait for the GPU.
      expect(peak - before).toBeGreaterThan(weights);
      expect(peak - before).toBeLessThan(weights + 200e6);
    } finally {
      child.stdin.end('\n');
      child.kill();
    }
  },
  300_000,
);
