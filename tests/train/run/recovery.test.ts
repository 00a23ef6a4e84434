// A run that loses its device recovers bit for bit; if that happens too often, it ends with its last
// checkpoint.

import { expect, it } from 'vitest';
import type { HeddleError } from '../../../src/core/errors.ts';
import { type Files, writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { dawnGpu } from '../../../src/host/dawn.ts';
import { historyOf, type LogRecord, parseLog } from '../../../src/train/report/training-log.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import { readTrainingState } from '../../../src/train/run/training-state.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { itInFull } from '../../support/in-full.ts';
import { testSession } from '../../support/session.ts';
import { fragileGpu, tinyCorpus, tinyTraining } from '../../support/training.ts';

// Each device compiles its kernels, which is slow on a busy machine. In Chrome
// tests/demo/training-session.test.ts does this.

/** Trains, and loses the device after the steps in `loseAfter`. */
async function run(
  fields: Partial<TrainArguments>,
  loseAfter: readonly number[] = [],
  onShader?: (lose: () => void) => void,
) {
  const files: Files = memoryFiles();
  await writeText(files, 'pairs.tsv', tinyCorpus);
  const fragile = fragileGpu(await dawnGpu(), onShader && (() => onShader(() => fragile.lose())));
  const said: string[] = [];
  const records: LogRecord[] = [];
  const left = [...loseAfter];
  const session = testSession({
    files,
    onEvent(event) {
      if (event.type === 'checkpoint') said.push(`saved ${event.step}`);
      if (event.type === 'warning') said.push(`warning ${event.text}`);
      if (event.type === 'recovery') said.push(event.state === 'lost' ? 'lost' : `back ${event.step}`);
      if (event.type === 'start' || event.type === 'step' || event.type === 'eval' || event.type === 'end')
        records.push(event);
      if (event.type !== 'step' || event.step < (left[0] ?? Number.POSITIVE_INFINITY)) return;
      left.shift();
      fragile.lose();
    },
    gpu: async () => fragile.gpu,
  });
  try {
    const ended = await runTraining(tinyTraining(fields), session).then(
      ({ result }) => ({ result }),
      (error: Error) => ({ error }),
    );
    return { ...ended, said, records, files, fragile };
  } finally {
    await session.close();
  }
}

it('continues if a shader does not compile since the device is lost, which it says later', async () => {
  // As in Firefox on a busy machine.
  let shaders = 0;
  const { said, fragile, ...ended } = await run({ steps: 2, evalSteps: 0 }, [], (lose) => {
    if (++shaders !== 12) return;
    setTimeout(lose, 700);
    throw new DOMException('Parent device is lost', 'OperationError');
  });
  expect(ended).toHaveProperty('result');
  expect(said).toEqual(['lost', 'back 0']);
  expect(fragile.devices).toBe(2);
});

const calmly = run({ out: 'model', saveSteps: 5, evalSteps: 4 });

it('continues with the same losses after its device is lost', async () => {
  const calm = await calmly;
  const shaken = await run({ out: 'model', saveSteps: 5, evalSteps: 4 }, [3, 9]);
  if (!('result' in calm) || !('result' in shaken)) throw new Error('a training failed');
  expect(shaken.said).toEqual(['lost', 'back 0', 'saved 5', 'lost', 'back 5', 'saved 10', 'saved 12']);
  expect(shaken.fragile.devices).toBe(3);
  expect(shaken.result.losses).toHaveLength(12);
  expect(shaken.result.losses).toEqual(calm.result.losses);
  expect(shaken.result.dev.map(({ step, loss }) => [step, loss])).toEqual(
    calm.result.dev.map(({ step, loss }) => [step, loss]),
  );
  expect(await shaken.files.read('model/model.safetensors')).toEqual(
    await calm.files.read('model/model.safetensors'),
  );
  // Each update is reported once, and the log is one continuous run.
  expect(shaken.records.flatMap((r) => (r.type === 'step' ? [r.step] : []))).toEqual(
    calm.result.losses.map((_, i) => i + 1),
  );
  const log = new TextDecoder().decode(await shaken.files.read('model/log.jsonl'));
  expect(historyOf(parseLog(log)).steps.map((s) => s.loss)).toEqual(calm.result.losses);
  expect(await shaken.files.list('model')).toEqual(await calm.files.list('model'));
  expect(await shaken.files.exists('model.failed')).toBe(false);
});

it('restarts from its first step if there is no checkpoint yet, also without a folder', async () => {
  const calm = await calmly;
  const shaken = await run({ steps: 6 }, [2]);
  if (!('result' in calm) || !('result' in shaken)) throw new Error('a training failed');
  expect(shaken.said).toEqual(['lost', 'back 0']);
  expect(shaken.result.losses).toEqual(calm.result.losses.slice(0, 6));
});

itInFull('ends with a clear message if the device is lost three times within a minute', async () => {
  const { error, said, files } = (await run({ out: 'model', saveSteps: 2 }, [3, 5, 7])) as {
    error: HeddleError;
  } & Awaited<ReturnType<typeof run>>;
  expect(error.message).toMatch(
    /^The GPU device was lost 3 times within a minute, so training has stopped\. The checkpoint of step 6 is in model; resume the run to continue\. Try/,
  );
  expect(error.kind).toBe('device');
  expect(said.filter((s) => s === 'lost')).toHaveLength(2);
  expect((await readTrainingState(files, 'model')).step).toBe(6);
});
