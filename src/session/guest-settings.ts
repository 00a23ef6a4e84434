// Settings of a training that a guest brings. Who opens a run adds these rows to the table of settings.

import type { Setting } from '../core/setting.ts';
import type { RunSettings } from './data-step.ts';

/** The settings of a guest. */
export interface GuestSettings {
  /** Rows by name; docs/settings.md, flags and options come from them. */
  readonly rows: Readonly<Record<string, Setting>>;
  /** Choices that the guest adds to settings of the main house (`openChoice`), by the name of the setting. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
  /** Names of the settings that are files, which the library also takes as File or Blob. */
  readonly files?: readonly string[];
  /** Throws a HeddleError for settings that exclude each other. */
  check?(settings: RunSettings): void;
}
