// `heddle info`: the adapter, and what is missing without one.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { heddle, heddleProcess, isOneLine, scratch } from '../support/cli.ts';
import { itInFull } from '../support/in-full.ts';

it('describes the adapter, its features and limits', async () => {
  const { status, stdout } = await heddle(['info']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^host +Dawn$/m);
  expect(stdout).toMatch(/^adapters +0: \S/m);
  expect(stdout).toMatch(/^subgroup kernels +used$/m);
  expect(stdout).toMatch(/^subgroup matrices +(not used: there are none|(f16|f32) \d+x\d+x\d+)/m);
  expect(stdout).toMatch(/^features +.*timestamp-query/m);
  expect(stdout).toMatch(/^maxStorageBufferBindingSize +[\d.]+ [MG]iB$/m);
});

it('takes an adapter by index or part of its name; commands that open a device reject an unknown one', async () => {
  const { adapters, device } = JSON.parse((await heddle(['info', '--json'])).stdout);
  const chosen = await heddle(['info', '--json', '--adapter', adapters[0].slice(0, 5).toUpperCase()]);
  expect(JSON.parse(chosen.stdout)).toMatchObject({ adapters, device });
  expect(JSON.parse((await heddle(['info', '--json', '--adapter', '0'])).stdout)).toMatchObject({
    adapters,
    device,
  });
  const commands = [
    ['train', '--out', join(scratch(), 'm')],
    ['translate', 'm', 'a'],
    ['eval', 'm', 'p'],
    ['tune'],
    ['bench'],
    ['info'],
  ];
  for (const command of commands) {
    const { status, stderr } = await heddle([...command, '--adapter', 'moon']);
    expect([status, stderr], command[0]).toEqual([
      1,
      `heddle: adapter: there is no "moon"; the adapters are ${adapters.map((name: string, i: number) => `${i}: ${name}`).join('; ')}\n`,
    ]);
  }
  const { stderr } = await heddle(['info', '--host', 'chrome', '--adapter', '1']);
  expect(stderr).toBe('heddle: --adapter 1: only --host dawn chooses among adapters, not chrome\n');
});

itInFull('describes the adapter of Chrome, as JSON', async () => {
  const { status, stdout } = await heddle(['info', '--host', 'chrome', '--json']);
  const adapter = JSON.parse(stdout);
  expect([status, adapter.host]).toEqual([0, 'Chrome']);
  expect(adapter.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
});

it('prints what to install if there is no adapter', async () => {
  const { status, stdout, stderr } = await heddleProcess(['info'], {
    env: { VK_DRIVER_FILES: '/nonexistent' },
  });
  expect(stderr).toMatch(/no WebGPU adapter.*VK_DRIVER_FILES=\/nonexistent.*install.*another host/);
  expect([status, stdout, isOneLine(stderr)]).toEqual([1, '', true]);
});

it('reports that there is no Chrome', async () => {
  const { status, stderr } = await heddle(['info', '--host', 'chrome'], {
    env: { CHROME_PATH: '/nonexistent/chrome', PUPPETEER_EXECUTABLE_PATH: '' },
  });
  expect(stderr).toMatch(/no Chrome: \/nonexistent\/chrome is not an executable file/);
  expect([status, isOneLine(stderr)]).toEqual([1, true]);
});
