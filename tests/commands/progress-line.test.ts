// The progress line on a terminal and in a file.
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createProgress, openProgress } from '../../src/commands/progress-line.ts';
import { heddleProcess } from '../support/cli.ts';

let written = '';
beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const step = (done: number, task = 'train') =>
  ({ type: 'progress', task, done, total: 100, text: `loss ${done}` }) as const;

it('writes a line at once and then every few seconds if stderr is not a terminal, and always the last one', () => {
  const progress = createProgress(false);
  for (let i = 1; i <= 20; i++) {
    vi.advanceTimersByTime(1000);
    progress.show(step(i));
  }
  expect(written).toBe(
    'train 1/100  loss 1\ntrain 6/100  loss 6\ntrain 11/100  loss 11\ntrain 16/100  loss 16\n',
  );
  progress.show(step(21));
  progress.close();
  expect(written).toContain('train 21/100  loss 21\n');
});

it('names what the command reads if half a second passes without an event', () => {
  vi.useFakeTimers();
  const file = import.meta.filename;
  const progress = openProgress([file, 'none']);
  vi.advanceTimersByTime(499);
  expect(written).toBe('');
  vi.advanceTimersByTime(1);
  expect(written).toMatch(/^[a-z]+: reading .*progress-line.test.ts\n$/);
  progress.close();
  const heard = openProgress([file]);
  heard.show({ type: 'message', text: 'opened' });
  vi.advanceTimersByTime(1000);
  heard.close();
  expect(written.split('\n').slice(1)).toEqual(['opened', '']);
});

it('prints log messages at once, after earlier progress', () => {
  const progress = createProgress(false);
  progress.show(step(1));
  progress.show({ type: 'message', text: 'saved' });
  progress.show(step(2));
  progress.show(step(1, 'translate'));
  progress.close();
  expect(written).toBe('train 1/100  loss 1\nsaved\ntrain 2/100  loss 2\ntranslate 1/100  loss 1\n');
});

it('draws the bar of the built command on a terminal', async () => {
  const golden = resolve(import.meta.dirname, '../fixtures/golden/odd-post');
  const env = { NODE_OPTIONS: '--import=data:text/javascript,process.stderr.isTTY=true' };
  const { status, stderr } = await heddleProcess(['verify', golden, '--host', 'cpu'], { env });
  expect(stderr).toContain('verify [====================] 1/1  odd-post');
  expect(status).toBe(0);
});
