// Runs a drawn training and writes what twin.py needs to do the same updates: settings, configuration, weights at the
// start, batches; and what it compares: losses, norms and weights.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CpuEngineOptions, cpuEngine } from '../../../src/engine/cpu-engine.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { features } from '../../../src/features/features.ts';
import { writeText } from '../../../src/files/files.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { loraParameters, loraTargets, loraTensorName } from '../../../src/model/lora.ts';
import type { ModelConfig } from '../../../src/model/model-config.ts';
import type { ParameterLayout } from '../../../src/model/parameter-layout.ts';
import { hfNames } from '../../../src/model/parameter-names.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { sourceKindOf } from '../../../src/model/source-kind.ts';
import type { DataStepRow } from '../../../src/session/data-step.ts';
import { type BatchArrays, paddingLabel } from '../../../src/text/batches/batches.ts';
import type { BatchShape } from '../../../src/text/batches/buckets.ts';
import type { RunningTraining } from '../../../src/train/run/loop.ts';
import { runTraining } from '../../../src/train/run/recovery.ts';
import { openBase } from '../../../src/train/run/start-model.ts';
import type { TrainArguments } from '../../../src/train/settings/train-arguments.ts';
import { EngineSession } from '../../support/session.ts';
import { baseFolder, type DrawnTraining, drawnSteps } from './draw-training.ts';

/** An engine of a recorded training. `float64`: states and numbers of all ops are float64. */
export type TwinEngine = 'float64' | 'Dawn';

/** A batch as twin.py reads it. */
type RecordedBatch = Record<string, unknown>;

/** A step of the data after all others: it changes nothing and keeps the arrays of each batch. */
const recorder = (batches: RecordedBatch[], shapes: BatchShape[][]): DataStepRow => ({
  name: 'recorder',
  isNeeded: () => true,
  load: async () => ({
    open: async (source) => {
      shapes.push([...source.shapes]);
      return {
        ...source,
        async at(index) {
          const batch = await source.at(index);
          return {
            ...batch,
            fill(arrays: BatchArrays) {
              const filled = batch.fill(arrays);
              batches.push(recorded(arrays, batch.tokens, source.shapes[batch.shape] as BatchShape));
              return filled;
            },
          };
        },
      };
    },
  }),
});

function recorded(arrays: BatchArrays, tokens: number, { batch, source }: BatchShape): RecordedBatch {
  const frames = arrays.frames as Float32Array | undefined;
  return {
    tokens,
    ...Object.fromEntries(
      ['src', 'tgtIn', 'tgtOut', 'srcLens', 'tgtLens', 'links', 'frames'].flatMap((name) => {
        const data = arrays[name];
        return data ? [[name, Array.from(data as Int32Array)]] : [];
      }),
    ),
    ...(frames && { framesShape: [batch, source, frames.length / batch / source] }),
  };
}

/** The engine of a name. */
export async function twinEngine(name: TwinEngine): Promise<Engine> {
  const wide: CpuEngineOptions = { wideStates: true };
  if (name === 'float64') return cpuEngine(wide);
  return (await import('../../support/engine.ts')).testEngine();
}

/** Runs a drawn training on an engine; returns the path of its case for twin.py, in a new folder of `root`. */
export async function recordTraining(drawn: DrawnTraining, name: TwinEngine, root: string): Promise<string> {
  const files = memoryFiles();
  for (const [path, text] of Object.entries(drawn.files)) await writeText(files, path, text);
  const { corpus } = drawn;
  if (drawn.base) {
    const session = new EngineSession(files, async () => cpuEngine());
    const { stages: _, ...all } = { stages: undefined, ...corpus };
    await runTraining({ ...drawn.base, corpus: all, out: baseFolder } as TrainArguments, session);
  }
  const batches: RecordedBatch[] = [];
  const shapes: BatchShape[][] = [];
  const withRecorder = { ...features, dataSteps: [...features.dataSteps, recorder(batches, shapes)] };
  const session = new EngineSession(files, () => twinEngine(name), withRecorder);
  let start: Promise<Float32Array> | undefined;
  let trained: Float32Array | undefined;
  let average: Float32Array | undefined;
  let running: RunningTraining | undefined;
  const { lora: hasLora, emaDecay = 0 } = drawn.settings;
  const state = hasLora ? 'lora' : 'weights';
  const read = async (of: string) =>
    (await (running as RunningTraining).model.engine.read(of)).data.slice() as Float32Array;
  const args = { ...drawn.settings, corpus, out: 'out' } as TrainArguments;
  const ended = await runTraining(args, session, {
    model: await openBase(args, session),
    gate: {
      ready(ready) {
        running = ready;
        start = read(state);
      },
      between: () => async () => {
        await start;
        if (running?.step() !== drawnSteps) return;
        trained = await read(state);
        if (emaDecay > 0) average = await read('average');
      },
      wantsCheckpoint: () => false,
    },
  });
  const { config } = ended.result;
  const steps = session.events.filter((event) => event.type === 'step');
  const list = parameterList(config, await sourceKindOf(config, features.sourceKinds));
  const saved = await ended.model();
  const { lora } = drawn.settings;
  const adapter = lora && { alpha: 2 * lora.rank, targetModules: ['*.q', '*.v'], dropout: 0, ...lora };
  const folder = join(root, `${name}-${drawn.seed}`);
  mkdirSync(folder, { recursive: true });
  const write = (file: string, data: Float32Array | undefined) => {
    if (data)
      writeFileSync(
        join(folder, `${file}.bin`),
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
  };
  if (adapter) {
    const { loadModelFolder } = await import('../../support/load-folder.ts');
    write('start', (await loadModelFolder(files, baseFolder)).weights);
    write('adapter', await start);
    write('best', ended.lora);
  } else {
    write('start', await start);
    write('best', saved.weights);
  }
  write('trained', trained);
  write('average', average);
  const dev = devBatches();
  const path = join(folder, 'case.json');
  writeFileSync(
    path,
    JSON.stringify({
      name: `seed ${drawn.seed}`,
      words: drawn.words,
      engine: name,
      seed: (drawn.settings.seed ?? 1) >>> 0,
      steps: drawnSteps,
      given: drawn.settings,
      settings: {
        optimizer: drawn.settings.optimizer,
        schedule: drawn.settings.schedule,
        learningRate: drawn.settings.learningRate,
        clipNorm: drawn.settings.clipNorm ?? 1,
        precision: drawn.settings.precision,
      },
      changes: changesOf(drawn.settings.changes),
      config,
      parameters: layoutOf(list),
      frozen: frozenOf(config, list, drawn.settings.freeze),
      ...(adapter && {
        adapterParameters: layoutOf(loraParameters(config, adapter)),
        formats: formatsOf(list, drawn.settings),
        lora: {
          ...adapter,
          targets: loraTargets(config, adapter.targetModules).map((target) => ({
            weight: target.weight,
            row: target.row,
            A: loraTensorName(target, 'A'),
            B: loraTensorName(target, 'B'),
          })),
        },
      }),
      batches,
      skipped: steps.map(({ skipped }) => skipped),
      log: steps.map((step) => ({
        loss: step.loss,
        accuracy: step.accuracy,
        learningRate: step.learningRate,
        gradientNorm: Number.isFinite(step.gradientNorm) ? step.gradientNorm : null,
        lossScale: step.lossScale,
        alignmentLoss: step.lossParts?.alignmentLoss,
        updateRatio: step.updateRatio,
      })),
      dev,
      evaluations: drawn.settings.evalSteps ? ended.result.dev.map(({ loss }) => loss) : [],
    }),
  );
  return path;

  /** The dev pairs as one batch. */
  function devBatches(): RecordedBatch[] {
    const pairs = (drawn.files['dev.tsv'] ?? '')
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    const { source, target } = saved;
    if (!drawn.settings.evalSteps || !source || !target) return [];
    const { special } = target;
    const rows = pairs.map(([from = '', to = '']) => ({
      source: [...source.encode(from), source.special.end],
      target: target.encode(to),
    }));
    const [S, T] = (['source', 'target'] as const).map(
      (side) => Math.max(...rows.map((row) => row[side].length)) + 1,
    ) as [number, number];
    const filled = (ids: readonly number[], length: number, by: number) => [
      ...ids,
      ...Array<number>(length - ids.length).fill(by),
    ];
    return [
      {
        tokens: 0,
        src: rows.flatMap((row) => filled(row.source, S, source.special.pad)),
        tgtIn: rows.flatMap((row) => filled([special.start, ...row.target], T, special.pad)),
        tgtOut: rows.flatMap((row) => filled([...row.target, special.end], T, paddingLabel(special))),
        srcLens: rows.map((row) => row.source.length),
        tgtLens: rows.map((row) => row.target.length + 1),
      },
    ];
  }
}

const layoutOf = (list: ParameterLayout) =>
  list.all.map(({ name, shape, offset }) => ({ name, shape, offset }));

/** Changes in a run as records: `3 learningRate=0.01 dropout=0`. */
const changesOf = (text: string | undefined) =>
  (text ?? '')
    .split(';')
    .filter((part) => part.trim())
    .map((part) => {
      const [step, ...fields] = part.trim().split(' ');
      return {
        step: Number(step),
        ...Object.fromEntries(
          fields.map((field) => field.split('=')).map(([name, value]) => [name, Number(value)]),
        ),
      };
    });

const globOf = (glob: string) =>
  new RegExp(`^(?:.*\\.)?${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);

/**
 * Names of frozen parameters: those that the configuration says are not trained, and those of globs, which match a name
 * here, or all the names in transformers of a joined projection.
 */
function frozenOf(config: ModelConfig, list: ParameterLayout, globs: readonly string[] = []): string[] {
  const matches = (name: string) => globs.some((glob) => globOf(glob).test(name));
  return list.all
    .filter((own) => {
      const theirs = hfNames(config, own);
      return (
        own.frozen ||
        matches(own.name) ||
        matches(own.stored.name) ||
        (theirs.length > 0 && theirs.every(matches))
      );
    })
    .map(({ name }) => name);
}

/** Formats of frozen matrices by docs/settings.md and docs/models.md. */
function formatsOf(
  list: ReturnType<typeof parameterList>,
  { weights = 'f32', weightsExclude }: DrawnTraining['settings'],
): Record<string, string> {
  if (weights === 'f32') return {};
  const isInt4 = weights.includes('int4');
  const matrices = list.all.filter(
    ({ name, shape }) => shape.length === 2 && !/_pos\.|relative_bias/.test(name),
  );
  const last = matrices.findLast(({ name }) => /decoder.*self_attn\.out_proj\.weight$/.test(name))?.name;
  return Object.fromEntries(
    matrices.flatMap(({ name, shape }) => {
      const layer = name.replace(/[._]weight$/, '');
      const isExcluded = weightsExclude?.some((glob) => globOf(glob).test(name) || globOf(glob).test(layer));
      if (isExcluded) return isInt4 ? [[name, 'int8']] : [];
      const isSensitive =
        !weightsExclude && (/embed|generator/.test(name) || (Math.min(...shape) < 512 && name !== last));
      return [[name, isInt4 && isSensitive ? 'int8' : weights]];
    }),
  );
}
