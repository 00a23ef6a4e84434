// The reports of bench/results/devices as tables, for npm run bench:table.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeviceReport, readDeviceReport } from '../src/bench/device-report.ts';
import { deviceTables } from '../src/bench/device-table.ts';

/** Reads the reports in a folder. Throws an Error that names the first file that is rejected, and why. */
export function readDeviceReports(folder: string): DeviceReport[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      try {
        return readDeviceReport(readFileSync(join(folder, name), 'utf8'));
      } catch (error) {
        throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    });
}

/** Tables in Markdown of the reports in a folder: of GPUs, for docs/benchmarks.md, and of all adapters. */
export function deviceSections(folder: string): { readonly gpus: string; readonly all: string } {
  const reports = readDeviceReports(folder);
  return { gpus: deviceTables(reports.filter(({ software }) => !software)), all: deviceTables(reports) };
}
