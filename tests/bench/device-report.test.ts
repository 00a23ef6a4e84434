// Tests of src/bench/device-report.ts and device-table.ts: which reports of devices are rejected, and how they are
// shown.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDeviceReports } from '../../bench/device-reports.ts';
import {
  type DeviceReport,
  deviceReportOf,
  type ReportedPeer,
  readDeviceReport,
} from '../../src/bench/device-report.ts';
import { devicePicture, deviceTables, reportIssue, reportLine } from '../../src/bench/device-table.ts';
import { gpuReport as report } from '../support/device-report.ts';

const withKernel = (change: Partial<DeviceReport['kernels'][number]>): unknown => ({
  ...report,
  kernels: [{ ...report.kernels[0], ...change }],
});

const peer: ReportedPeer = {
  library: 'transformers.js 4.3.1, wasm, 4 threads',
  batch: 8,
  sameRows: 8,
  tokensPerSecond: 90,
};
const withPeer = (change: Partial<ReportedPeer>): DeviceReport => ({
  ...report,
  beside: [{ ...peer, ...change }],
});

describe('a report of a device', () => {
  it('is read as it was written', () => {
    for (const each of [report, withPeer({})]) expect(readDeviceReport(reportLine(each))).toEqual(each);
    expect(reportLine(report)).not.toContain('\n');
  });

  it.each<[string, unknown, RegExp]>([
    ['no report', { kind: 'bench' }, /no report of a device/],
    ['another version', { ...report, version: 2 }, /no report of a device/],
    ['a text instead of a time', { ...report, when: 'yesterday' }, /no date/],
    ['a text with markup', { ...report, adapter: '<img src=x>' }, /short text/],
    ['a long text', { ...report, platform: 'x'.repeat(1000) }, /short text/],
    ['a table cell', { ...report, browser: 'a | b' }, /short text/],
    ['no roofs', { ...report, roofs: undefined }, /no roofs/],
    ['an impossible bandwidth', { ...report, roofs: { ...report.roofs, bandwidth: 1e6 } }, /bandwidth/],
    ['a peak of 0', { ...report, roofs: { ...report.roofs, peak: 0 } }, /peak/],
    ['roofs that differ by 90 %', { ...report, roofs: { ...report.roofs, spread: 0.9 } }, /differ by 90 %/],
    ['no kernels', { ...report, kernels: [] }, /the list kernels/],
    ['too many kernels', { ...report, kernels: Array(100).fill(report.kernels[0]) }, /the list kernels/],
    ['a share of the roof above 1', withKernel({ ms: 0.05, low: 0.05, high: 0.05 }), /477 % of the roof/],
    ['a time above its quartiles', withKernel({ ms: 5 }), /between its quartiles/],
    ['times that spread', withKernel({ low: 0.1, high: 2 }), /spread by/],
    ['a negative time', withKernel({ ms: -1 }), /must be a number/],
    ['FLOPs that are no whole number', withKernel({ flops: 0.5 }), /whole number/],
    ['an MFU above 1', { ...report, step: { ...report.step, ms: 1, tokensPerSecond: 1e6 } }, /of the peak/],
    [
      'a speed that contradicts the time',
      { ...report, step: { ...report.step, tokensPerSecond: 1 } },
      /rows take/,
    ],
    [
      'decoding faster than the peak',
      { ...report, decoding: [{ ...report.decoding[0], tokensPerSecond: 1e8 }] },
      /more than the device can/,
    ],
    ['a software adapter as a GPU', { ...report, adapter: 'google swiftshader' }, /software adapter/],
    [
      'more wrong kernels than checked',
      { ...report, conformance: { kernels: 1, wrong: ['a', 'b'] } },
      /More kernels/,
    ],
    ['another library with no name', withPeer({ library: '' }), /library must be a short text/],
    [
      'a library at a batch that heddle lacks',
      withPeer({ batch: 3, sameRows: 3 }),
      /at batch 3, at which heddle/,
    ],
    ['a library that is timed with other ids', withPeer({ sameRows: 7 }), /7 of 8 rows/],
    ['a library that is not timed with equal ids', withPeer({ tokensPerSecond: 0 }), /only equal results/],
    ['more equal rows than rows', withPeer({ sameRows: 9, tokensPerSecond: 0 }), /9 of 8 rows/],
  ])('is rejected: %s', (_what, json, message) => {
    expect(() => deviceReportOf(JSON.parse(JSON.stringify(json)))).toThrow(message);
  });

  it('is rejected if it is no JSON', () => {
    expect(() => readDeviceReport('{')).toThrow('not JSON');
  });
});

describe('tables of devices', () => {
  it('say plainly that no GPU has been measured until one is', () => {
    const cpu = { ...report, adapter: 'google swiftshader', software: true };
    for (const reports of [[], [cpu]])
      expect(deviceTables(reports)).toContain('No machine with a GPU has been measured yet');
    const both = deviceTables([cpu, report]);
    expect(both).toContain('1 report of machines with a GPU');
    expect(both.indexOf('nvidia ampere')).toBeLessThan(both.indexOf('swiftshader (software)'));
    expect(both).toContain('| matmul 1024x1024x1024 | 0.5 ms, 4,295 GFLOP/s, 47.7 % of the roof |');
    expect(both).toContain('MFU 43.5 %');
    const rows = deviceTables([withPeer({}), withPeer({ sameRows: 7, tokensPerSecond: 0 })]);
    expect(rows).toContain(`| ${peer.library}, batch 8 | 90 tokens/s, the same ids as heddle |`);
    expect(rows).toContain('| not timed: other ids than heddle in 1 of 8 rows |');
  });

  it('are made of the files in a folder; a wrong one is named', () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-devices-'));
    try {
      writeFileSync(join(folder, 'a.json'), reportLine(report));
      expect(readDeviceReports(folder)).toEqual([report]);
      writeFileSync(join(folder, 'b.json'), reportLine({ ...report, when: 'never' }));
      expect(() => readDeviceReports(folder)).toThrow('b.json: The time never is no date.');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('of bench/results/devices are all plausible', () => {
    expect(() => readDeviceReports(resolve('bench/results/devices'))).not.toThrow();
  });
});

it('a report fits the address of a form, and its picture names the device', () => {
  const url = new URL(reportIssue(report));
  expect(url.href.length).toBeLessThan(8000);
  expect(url.searchParams.get('template')).toBe('device.yml');
  expect(readDeviceReport(url.searchParams.get('report') ?? '')).toEqual(report);
  const picture = devicePicture({ ...report, adapter: 'a & b "c"' });
  expect(picture).toContain('a &amp; b &quot;c&quot;');
  expect(picture).toContain('MFU');
});
