// Sessions for tests: on a host with files in memory, or with nothing but files and an engine.

import type { Engine } from '../../src/engine/engine.ts';
import { features } from '../../src/features/features.ts';
import type { Files } from '../../src/files/files.ts';
import { memoryFiles } from '../../src/files/memory-files.ts';
import type { Features } from '../../src/session/feature-table.ts';
import { browserHost, type Host } from '../../src/session/host.ts';
import { type JobSessionOptions, Session } from '../../src/session/session.ts';
import type { JobEvent, TrainingEvent } from '../../src/train/report/training-events.ts';

/** A host with files in memory, whose paths are names in them; `fields` replace its own. */
export const testHost = (fields: Partial<Host> = {}): Host => ({
  ...browserHost(),
  name: 'Dawn',
  version: '',
  files: memoryFiles(),
  gpu: async () => undefined,
  modelPath: (name) => name,
  cachePath: (name) => name,
  ...fields,
});

/** Fields of the host, and options of the session. */
type TestSessionOptions = Pick<Partial<Host>, 'name' | 'gpu'> & JobSessionOptions<TrainingEvent>;

/** A session on a test host; kernels are tuned, and stored in `kernels.json`, only if `tune` is true. */
export function testSession({
  name = 'Dawn',
  gpu = async () => undefined,
  files = memoryFiles(),
  ...options
}: TestSessionOptions) {
  const host = testHost({ name, gpu, files });
  return new Session<TrainingEvent>(host, { tune: false, files, features, ...options });
}

/** A session with files, an engine and a list of its events, but no device. */
export class EngineSession extends Session<TrainingEvent> {
  readonly events: JobEvent[];
  readonly #makeEngine: () => Promise<Engine>;

  /** `guests`: what guests bring. */
  constructor(files: Files, makeEngine: () => Promise<Engine>, guests: Features = features) {
    const events: JobEvent[] = [];
    const onEvent = (event: JobEvent) => void events.push(event);
    super(testHost({ files }), { device: 'cpu', tune: false, files, features: guests, onEvent });
    this.events = events;
    this.#makeEngine = makeEngine;
  }

  override get backend(): string {
    return 'test';
  }

  override engine(): Promise<Engine> {
    return this.#makeEngine();
  }
}
