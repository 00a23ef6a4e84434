// A run in stages: the log has their starts, and a resumed run does the updates of an uninterrupted one.
import { expect, it } from 'vitest';
import { cpuEngine } from '../../../../src/engine/cpu-engine.ts';
import { mixedCorpus } from '../../../../src/features/corpora/corpus-stages.ts';
import { writeText } from '../../../../src/files/files.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { historyOf, parseLog } from '../../../../src/train/report/training-log.ts';
import { runTraining } from '../../../../src/train/run/recovery.ts';
import { EngineSession } from '../../../support/session.ts';
import { tinyCorpus, tinyTraining } from '../../../support/training.ts';

const lines = tinyCorpus.split('\n');

/** Trains in sessions of `steps` updates each; the files of the model folder. */
async function trained(stalls: boolean, ...steps: number[]) {
  const files = memoryFiles();
  await writeText(files, 'a.tsv', lines.slice(0, 60).join('\n'));
  await writeText(files, 'b.tsv', lines.slice(60).join('\n'));
  const corpus = mixedCorpus({
    stages: [
      { data: ['a.tsv=0.5', 'b.tsv=0.5'], steps: 3 },
      { data: ['b.tsv'], ...(stalls ? { stalls: 1 } : { steps: 2 }) },
      { data: ['a.tsv'] },
    ],
  });
  const session = new EngineSession(files, async () => cpuEngine());
  const fields = { corpus, out: 'm', evalSteps: 2, patience: 9, learningRate: stalls ? 0.5 : 1e-2 };
  for (const [i, last] of steps.entries())
    await runTraining(tinyTraining({ ...fields, steps: last, resume: i > 0 }), session);
  const log = parseLog(new TextDecoder().decode(await files.read('m/log.jsonl')));
  const { steps: updates } = historyOf(log);
  return {
    // Checkpoints are float32 and this engine is float64, so losses are close; tests/commands/resume.test.ts
    // compares bits.
    updates: updates.map(({ step, loss, tokens }) => [step, tokens, loss.toFixed(4)].join()),
    log,
    report: new TextDecoder().decode(await files.read('m/report.html')),
    said: session.events.flatMap((event) => (event.type === 'message' ? [event.text] : [])),
  };
}

it.each([false, true])(
  'does the same updates if it is resumed; stage 2 ends by evaluations: %s',
  async (stalls) => {
    const whole = await trained(stalls, 8);
    const starts = whole.log.flatMap((r) => (r.type === 'stage' ? [[r.step, r.data]] : []));
    if (!stalls)
      expect(starts).toEqual([
        [0, '50.0 % a.tsv, 50.0 % b.tsv'],
        [3, '100.0 % b.tsv'],
        [5, '100.0 % a.tsv'],
      ]);
    else expect(starts).toHaveLength(3);
    expect(whole.said).toContain('stage 2 of 3 after 3 steps: 100.0 % b.tsv');
    expect(whole.report).toContain('100.0 % b.tsv from step 4');
    for (const parts of [[3, 4, 8]]) {
      const resumed = await trained(stalls, ...parts);
      expect(resumed.updates).toEqual(whole.updates);
      expect(resumed.log.flatMap((r) => (r.type === 'stage' ? [[r.step, r.data]] : []))).toEqual(starts);
    }
  },
);
