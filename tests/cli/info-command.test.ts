import { expect, it } from 'vitest';
import { heddle, isOneLine } from '../support/cli.ts';

it('describes the adapter, its features and limits', async () => {
  const { status, stdout } = await heddle(['info']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^host +Dawn$/m);
  expect(stdout).toMatch(/^features +.*timestamp-query/m);
  expect(stdout).toMatch(/^maxStorageBufferBindingSize +\d+$/m);
});

it('describes the adapter of Chrome, as JSON', async () => {
  const { status, stdout } = await heddle(['info', '--host', 'chrome', '--json']);
  const adapter = JSON.parse(stdout);
  expect([status, adapter.host]).toEqual([0, 'Chrome']);
  expect(adapter.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
});

it('prints what to install if there is no adapter', async () => {
  const { status, stdout, stderr } = await heddle(['info'], { env: { VK_DRIVER_FILES: '/nonexistent' } });
  expect(stderr).toMatch(/no WebGPU adapter.*VK_DRIVER_FILES=\/nonexistent.*install.*--host chrome/);
  expect([status, stdout, isOneLine(stderr)]).toEqual([1, '', true]);
});

it('reports that there is no Chrome', async () => {
  const { status, stderr } = await heddle(['info', '--host', 'chrome'], {
    env: { CHROME_PATH: '/nonexistent/chrome', PUPPETEER_EXECUTABLE_PATH: '' },
  });
  expect(stderr).toMatch(/no Chrome: \/nonexistent\/chrome is not an executable file/);
  expect([status, isOneLine(stderr)]).toEqual([1, true]);
});
