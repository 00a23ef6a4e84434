// Engines of devices that the caller names: the references on the CPU, and those that guests bring
// (`Features.engines`).

import type { Engine } from '../engine/engine.ts';
import type { Host } from './host.ts';
import type { DeviceName } from './session-device.ts';
import type { Reported, SessionEvent } from './session-event.ts';

/** What opening an engine needs of a session. */
export interface EngineSession {
  readonly host: Host;
  emit(event: Reported<SessionEvent>): void;
}

/**
 * Opens the engine of a named device; undefined if a GPU is to be used instead. `trains`: whether a training runs on
 * it. Throws a HeddleError if there is no such engine, or if it cannot train.
 */
export type OpenEngine = (session: EngineSession, trains: boolean) => Promise<Engine | undefined>;

/** A row for each device that has an engine of its own. */
export type NamedEngines = Readonly<Partial<Record<DeviceName, OpenEngine>>>;

/** The engines of the main house. */
export const mainEngines: NamedEngines = {
  cpu: async () => (await import('../engine/cpu-engine.ts')).cpuEngine(),
};
