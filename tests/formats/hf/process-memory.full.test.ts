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

/** Opens the device and a small model, then loads the large one; says when, and waits for a line in between. */
const program = (format: string) => `
  import { once } from 'node:events';
  const { loadModel } = await import(${JSON.stringify(distFile('heddle.node.js'))});
  using small = await loadModel(${JSON.stringify(resolve('demo/models/en-es.safetensors'))});
  await small.translate('one');
  console.log('ready');
  await once(process.stdin, 'data');
  const large = await loadModel(${JSON.stringify(folder)}, { weights: '${format}' });
  console.log(\`loaded \${(await large.plan?.({}))?.peak ?? 0}\`);
  await once(process.stdin, 'data');
  process.exit();`;

/** A field of /proc/PID/status in bytes. */
function memoryOf(pid: number | undefined, field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(status.split(`${field}:`)[1]?.trim().split(' ')[0]);
}

it.skipIf(!existsSync('/proc/self/status')).each([
  ['int8', 700e6],
  ['int4', 450e6],
])('of weights in %s stays below those on the GPU and 100 MB', { timeout: 300_000 }, async (format, most) => {
  await writeNllbShape(folder);
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(format)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface(child.stdout);
    await once(lines, 'line');
    const before = memoryOf(child.pid, 'VmRSS');
    child.stdin.write('\n');
    const [line] = await once(lines, 'line');
    const [now, peak] = [memoryOf(child.pid, 'VmRSS'), memoryOf(child.pid, 'VmHWM')];
    const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
    console.log(`${format}: ${line}; before ${mb(before)}, after ${mb(now)}, peak ${mb(peak)}`);
    // On lavapipe the buffers of the GPU are memory of the process.
    expect(now - before).toBeLessThan(most);
    expect(peak - before).toBeLessThan(most + 100e6);
  } finally {
    child.stdin.end('\n');
    child.kill();
  }
});
