// A kernel variant that is fast and wrong, offered by a built-in op: neither `heddle tune` nor the first run
// uses it.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type PresetArguments, presetGraphs } from '../../../src/commands/jobs/preset-graphs.ts';
import { tune } from '../../../src/commands/jobs/tune-job.ts';
import { linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { naiveProduct } from '../../../src/engine/ops/matmul/matmul-kernels.ts';
import type { Node } from '../../../src/engine/ops/op.ts';
import { variantsOf } from '../../../src/engine/ops/op-nodes.ts';
import { variantKey } from '../../../src/engine/plan/kernel-choices.ts';
import { readText, writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import type { JobEvent } from '../../../src/train/report/training-events.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import { testSession } from '../../support/session.ts';
import { tinyCorpus, tinyTraining } from '../../support/training.ts';

const lazy = { ...naiveProduct, name: 'lazy' };

/** The wrong variant computes only the first tile of a product. */
beforeEach(() => {
  const { variants, launch } = linearOp;
  vi.spyOn(linearOp, 'variants').mockImplementation((...given) => [lazy, ...(variants?.(...given) ?? [])]);
  vi.spyOn(linearOp, 'launch').mockImplementation((inputs, outputs, attrs, context) =>
    context.variant === lazy
      ? launch(inputs, outputs, attrs, { ...context, variant: naiveProduct }).map((l) => ({
          ...l,
          grid: [1, 1, 1] as const,
        }))
      : launch(inputs, outputs, attrs, context),
  );
});
afterEach(() => {
  vi.restoreAllMocks();
});

const preset: PresetArguments = {
  preset: 'tiny',
  run: 'evaluation',
  model: {},
  vocab: 100,
  shape: { batch: 8, source: 8, target: 8 },
};
const errorPattern = /^it differs from naive by .* of the largest value, allowed 0.0001$/;

/** A session on Dawn that stores its kernels in `kernels.json`. */
function start(files = memoryFiles()) {
  const events: JobEvent[] = [];
  const session = testSession({
    files,
    onEvent: (event) => void events.push(event),
    gpu: () => dawnGpu(),
    tune: true,
  });
  const warnings = () => events.flatMap((e) => (e.type === 'warning' ? [e.text] : []));
  return { session, files, warnings, stored: () => readText(files, 'kernels.json') };
}

/** Choices for the linear layers of the preset. */
const linearChoices = (choices: Readonly<Record<string, string>>): string[] =>
  Object.entries(choices).flatMap(([key, variant]) => (key.startsWith('linear ') ? [variant] : []));

it('heddle tune drops a wrong kernel, names it, and stores it as dropped', async () => {
  const { session, warnings, stored } = start();
  const result = await tune({ ...preset, seconds: 20 }, session);
  expect(result.dropped).toEqual({ 'linear lazy': expect.stringMatching(errorPattern) });
  expect(result.measured.flat().filter((m) => m.variant === 'lazy')).toEqual([]);
  expect(result.measured.flat().some((m) => m.key.startsWith('linear '))).toBe(true);
  expect(warnings()).toEqual([
    expect.stringMatching(/^kernel not used on this adapter: linear lazy: it differs/),
  ]);
  expect(await stored()).toContain('"dropped":{"linear lazy":"it differs');
  expect(await stored()).not.toContain('":"lazy"');
  await session.close();
});

it('the first run drops a wrong kernel, and a checkpoint or a store of an earlier version cannot bring it back', async () => {
  const { graphs } = await presetGraphs(preset);
  const nodes = graphs.flatMap((graph) => graph.nodes).filter(({ op }) => op === (linearOp as Node['op']));
  const lazy = Object.fromEntries(nodes.map((node) => [variantKey(node), 'lazy']));
  expect(nodes.length).toBeGreaterThan(0);
  const first = start();
  const engine = await first.session.engine();
  await engine.prepare(graphs);
  expect(linearChoices(engine.kernelChoices)).not.toContain('lazy');
  await first.session.close();

  const old = { version: 2, adapters: { x: { measured: lazy, guessed: {} } } };
  const stored = await first.stored();
  const adapter = Object.keys((JSON.parse(stored) as { adapters: object }).adapters)[0] as string;
  const text = JSON.stringify({ ...JSON.parse(stored), ...old, adapters: { [adapter]: old.adapters.x } });
  const files = memoryFiles();
  await writeText(files, 'kernels.json', text);
  const second = start(files);
  const resumed = await second.session.engine({ kernelChoices: lazy });
  await resumed.prepare(graphs);
  const chosen = linearChoices(resumed.kernelChoices);
  expect(chosen.length).toBeGreaterThan(0);
  expect(chosen).not.toContain('lazy');
  const { traits } = await second.session.device.open();
  expect(variantsOf(nodes[0] as Node, traits).map(({ name }) => name)).toContain('lazy');
  await second.session.close();
});

it('the log and the report of later training runs name a dropped kernel', async () => {
  const { session, files } = start();
  await tune({ ...preset, seconds: 20 }, session);
  await files.write('pairs.tsv', new TextEncoder().encode(tinyCorpus));
  for (const out of ['a', 'b']) {
    const { mfu } = (await runTraining(tinyTraining({ out, steps: 2 }), session)).result;
    const text = async (name: string) => new TextDecoder().decode(await files.read(`${out}/${name}`));
    expect(mfu).toBeGreaterThan(0);
    expect(await text('log.jsonl')).toMatch(/"type":"step","step":2,.*"mfu":0\.\d+/);
    const head = JSON.parse((await text('log.jsonl')).split('\n', 1)[0] as string) as Record<string, unknown>;
    expect(head.droppedKernels).toEqual({ 'linear lazy': expect.stringMatching(errorPattern) });
    expect(await text('report.html')).toMatch(
      /<dt>kernels not used<\/dt><dd>linear lazy: it differs from naive/,
    );
  }
  await session.close();
});
