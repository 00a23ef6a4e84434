// Benchmark results as Markdown tables, from the JSON files of bench/results. The runner prints them and the
// READMEs contain them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const mib = (bytes) => (bytes / 2 ** 20).toFixed(0);
const seconds = (ms) => (ms / 1e3).toFixed(1);
const ms = (x) => (x >= 100 ? x.toFixed(0) : x.toFixed(1));
/** A Markdown table with padded columns. */
function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, c) => Math.max(3, ...cells.map((row) => [...row[c]].length)));
  const line = (row) =>
    `| ${row.map((cell, c) => cell + ' '.repeat(widths[c] - [...cell].length)).join(' | ')} |`;
  const [first, ...others] = cells.map(line);
  return [first, line(widths.map((w) => '-'.repeat(w))), ...others].join('\n');
}

/** Display names of the contestants. */
const titles = { heddle: 'heddle', tfjs: 'TensorFlow.js', 'jax-js': 'jax-js' };
const hosts = { dawn: 'Dawn in Node', chrome: 'Chrome' };
const titleOf = (name) => titles[name] ?? name;

/** Name of an adapter without versions: `lavapipe`, `SwiftShader`, or its description. */
function adapterTitle({ adapter }) {
  const text = `${adapter.vendor} ${adapter.architecture} ${adapter.description || adapter.device}`;
  if (/llvmpipe/i.test(text)) return 'lavapipe';
  if (/swiftshader/i.test(text)) return 'SwiftShader';
  return adapter.description || adapter.device || adapter.architecture || adapter.vendor;
}

/**
 * One line on how results of one machine and versions were measured: host, adapter, machine, versions,
 * commits, dates, load.
 */
function provenance(results) {
  const [{ host, adapter, machine, versions, browser }] = results;
  const { heddle, ...others } = { ...versions, Chrome: browser?.replace(/^.*\//, '') ?? versions.Chrome };
  const commits = unique(results.map((r) => /\((.*)\)/.exec(r.versions.heddle)?.[1]).filter(Boolean));
  const own =
    heddle && `${heddle.replace(/ \(.*/, '')}${commits.length > 0 ? ` (${commits.join(', ')})` : ''}`;
  const names = Object.entries({ heddle: own, ...others }).filter(([, version]) => version);
  const device = [adapter.description || adapter.device, adapter.architecture].filter(Boolean).join(', ');
  const loads = results.flatMap(({ load }) => load);
  return [
    `${hosts[host]}: ${device}; ${machine.cores} × ${machine.cpu}`,
    names.map(([name, version]) => `${name} ${version}`).join(', '),
    `${unique(results.map(({ date }) => date.slice(0, 10))).join(', ')}; load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`,
  ].join('; ');
}

const unique = (values) => [...new Set(values)].sort();

/** The lines of `provenance` of results; results that differ only in commit, date and load share a line. */
export function origins(results) {
  const alike = new Map();
  for (const result of results) {
    const { host, adapter, machine, browser } = result;
    const { heddle: _, ...versions } = result.versions;
    const key = JSON.stringify([host, adapter, machine, browser, versions]);
    alike.set(key, [...(alike.get(key) ?? []), result]);
  }
  return [...alike.values()].map(provenance);
}

/** Median of the fastest peer over heddle's median. NaN without a peer or without heddle. */
export function speedup(timed) {
  const heddle = timed.find((t) => t.contestant === 'heddle')?.medianMs ?? Number.NaN;
  const peers = timed.filter((t) => t.contestant !== 'heddle').map((t) => t.medianMs);
  return peers.length > 0 ? Math.min(...peers) / heddle : Number.NaN;
}

/** Table of the steps of one case: one row per contestant. */
export function stepsTable({ steps }) {
  const measure = steps.timed.find((t) => t.contestant === 'heddle') ?? steps.timed[0];
  const head = [
    '',
    'ms a step (min–max)',
    `times ${titleOf(measure.contestant)}`,
    'tokens/s',
    'first step s',
  ];
  head.push('GPU MiB', 'dispatches', 'submits', 'objects created', 'JS ms');
  const rows = steps.timed.map((t) => [
    titleOf(t.contestant),
    `${ms(t.medianMs)} (${ms(t.minMs)}–${ms(t.maxMs)})`,
    t.ratio.toFixed(2),
    Math.round(t.tokensPerSecond),
    seconds(t.firstStepMs),
    mib(t.peakBytes),
    t.dispatches,
    t.submits,
    t.objects,
    `${t.hostMs} (min ${t.hostMinMs})`,
  ]);
  const facts = steps.timed.find((t) => t.facts)?.facts;
  const notes = [];
  if (facts)
    notes.push(
      `heddle plans ${mib(facts.plannedBytes)} MiB, ${(facts.plannedBytes / facts.lowerBoundBytes).toFixed(3)} times the ` +
        `lower bound, for ${facts.gflop.toFixed(2)} GFLOP a step.` +
        (facts.recordMs
          ? ` JavaScript records and submits it in ${facts.recordMs} ms${withoutPeers(steps.tuning)}.`
          : ''),
    );
  if (steps.tuning)
    notes.push(
      `Its kernels were auto-tuned beforehand in ${seconds(steps.tuning.ms)} s; without tuning, the first step takes ` +
        `${seconds(steps.tuning.firstStepUntunedMs)} s and a step ${ms(steps.tuning.untunedMs)} ms` +
        (steps.tuning.firstUseMs
          ? `; on a new adapter, including auto-tuning with the default budget of 2 s, the first step takes ${seconds(steps.tuning.firstUseMs)} s.`
          : '.'),
    );
  return [table(head, rows), notes.join(' ')].filter(Boolean).join('\n\n');
}

/** JavaScript time of heddle without peers in the process, if it was measured. */
const withoutPeers = (tuning) =>
  tuning?.recordMsAlone ? `, in ${tuning.recordMsAlone} ms without the peers in the process` : '';

/** The fastest form of heddle (`mine`) or of its peers; undefined if there is none. */
const best = (forms, mine) =>
  forms
    .filter((f) => (f.contestant === 'heddle') === mine)
    .sort((a, b) => a.us - b.us)
    .at(0);

/** The time of a kernel's best peer over heddle's, or NaN. */
export const kernelSpeedup = ({ forms }) =>
  (best(forms, false)?.us ?? Number.NaN) / (best(forms, true)?.us ?? Number.NaN);

/** Table of single kernels: one row per kernel. */
export function kernelsTable({ kernels }) {
  const cell = (forms, [, contestant, only]) => {
    const own = forms.filter((f) => f.contestant === contestant && (only ?? f.form) === f.form);
    const form = own.sort((a, b) => a.us - b.us)[0];
    if (!form) return '–';
    return form.gflops ? `${form.us} µs, ${form.gflops} GFLOP/s` : `${form.us} µs`;
  };
  const all = kernels.flatMap(({ forms }) => forms);
  const isUntuned = all.some(({ form }) => form === 'untuned'); // results before 2026-12-02 are not
  const columns = [...new Set(all.map((f) => f.contestant))].flatMap((name) =>
    name === 'heddle' && isUntuned
      ? [
          ['heddle, untuned', name, 'untuned'],
          ['auto-tuned', name, 'own'],
        ]
      : [[titleOf(name), name]],
  );
  const rows = kernels.map((kernel) => {
    const times = kernelSpeedup(kernel);
    return [
      kernel.name,
      ...columns.map((column) => cell(kernel.forms, column)),
      Number.isNaN(times) ? '–' : `${times.toFixed(2)}×`,
    ];
  });
  return table(['kernel', ...columns.map(([title]) => title), 'best peer / heddle'], rows);
}

/** Allowed difference in per cent between the first and the last steps of an endurance test. */
const maxDrift = 5;

/** How much slower the last steps of an endurance test are than the first, in per cent. */
const drift = ({ firstMs, lastMs }) => (lastMs / firstMs - 1) * 100;

/** The reasons why an endurance test fails, one sentence each; empty if it passes. */
export function enduranceFaults(e) {
  const faults = [];
  const percent = drift(e);
  const by = `${Math.abs(percent).toFixed(1)} %; ${maxDrift} % is allowed`;
  if (percent < -maxDrift)
    faults.push(
      `the last steps are faster than the first by ${by}: the warm-up was too short, or other programs used the machine.`,
    );
  else if (!(percent <= maxDrift)) faults.push(`the last steps are slower than the first by ${by}.`);
  if (e.bytesAfter !== e.bytesBefore)
    faults.push(`buffers grew or shrank: ${e.bytesBefore} bytes after warm-up, ${e.bytesAfter} at the end.`);
  if (!e.sameBits) faults.push('a second run gave different losses.');
  return faults;
}

function endurance(e) {
  const percent = drift(e);
  const faults = enduranceFaults(e);
  const runs = e.runs ? `; ${e.runs.map((r) => `${r.firstMs} and ${r.lastMs}`).join(', then ')}` : '';
  return (
    `${e.steps} steps: ${e.firstMs} ms ${e.warmups ? `after a warm-up of ${e.warmups}` : 'at first'}, ${e.lastMs} ms at the end ` +
    `(${percent < 0 ? '' : '+'}${percent.toFixed(1)} %${runs}); ${e.bytesBefore} bytes of buffers, then ` +
    `${e.bytesAfter}; a second run gave ${e.sameBits ? 'the same losses, bit for bit' : 'DIFFERENT LOSSES'}.` +
    (faults.length > 0 ? ` The endurance test failed: ${faults.join(' ')}` : '')
  );
}

/**
 * Tables of a decoding benchmark: speed by length and batch size; token times, created objects, memory,
 * downloads. Results before 2026-11-27 lack lengths, objects and memory.
 */
function decodingTables({ same, of, rows, tokens, readyMs, downloads, notes = [], ...d }) {
  const speeds = rows.map((r) => [
    r.contestant,
    r.length ?? 'all',
    r.batch,
    r.tokensPerSecond.toFixed(r.tokensPerSecond < 10 ? 1 : 0),
    r.ratio.toFixed(2),
  ]);
  const times = Object.keys(readyMs).map((name) => {
    const t = tokens[name];
    const { objects = '–', sentences, ...m } = d.memory?.[name] ?? {};
    const growth = (before, after) => (before === undefined ? '–' : `${mib(before)}, then ${mib(after)}`);
    const size = downloads[name.split(' ')[0]];
    const first = (d.firstTokenMs ?? d.firstResultMs)[name];
    return [
      name,
      `${same[name]} of ${of}`,
      seconds(readyMs[name]),
      first === undefined ? '–' : seconds(first),
      ...[t?.firstMs, t?.startMs, t?.endMs].map((x) => x?.toFixed(2) ?? '–'),
      objects,
      sentences ?? '–',
      growth(m.bytesBefore, m.bytesAfter),
      growth(m.heapBefore, m.heapAfter),
      size === undefined ? '–' : mib(size),
    ];
  });
  const head = [
    '',
    'same ids',
    'loaded s',
    d.firstTokenMs ? 'first token s' : 'first result s',
    'ms to token 1',
    'ms a token, start',
    d.maxTokens ? `at ${d.maxTokens}` : 'end',
    'objects created',
    'during sentences',
    'GPU or wasm MiB',
    'JS heap MiB',
    'download MiB',
  ];
  return [
    table(['', 'sentences', 'batch', 'tokens/s', 'heddle is faster by'], speeds),
    table(head, times),
    ...notes,
  ].join('\n\n');
}

/** Tables of training steps and products beside PyTorch on the CPU. */
export function pytorchTable(result) {
  const { threads, steps, products } = result.pytorch;
  const forms = { untuned: 'heddle, untuned', tuned: 'auto-tuned', torch: `PyTorch, threads: ${threads}` };
  const all = [...steps, ...products];
  const shown = Object.entries(forms).filter(([form]) => all.some((row) => row[form]));
  const rows = all.map((row) => [
    row.name,
    ...shown.map(([form]) => (row[form] ? `${row[form].cpuMs} (${row[form].ms})` : '–')),
    `${((row.tuned ?? row.untuned).cpuMs / row.torch.cpuMs).toFixed(1)}×`,
  ]);
  return `${table(['CPU ms (ms passed)', ...shown.map(([, title]) => title), 'heddle / PyTorch, CPU ms'], rows)}\n\n- ${provenance([result])}`;
}

/** A result as a Markdown section. */
export function section(result) {
  const parts = [`### ${result.what}, ${hosts[result.host]}, ${adapterTitle(result)}`, provenance([result])];
  if (result.steps) parts.push(stepsTable(result));
  if (result.kernels) parts.push(kernelsTable(result));
  if (result.pytorch) parts.push(pytorchTable(result));
  if (result.endured) parts.push(endurance(result.endured));
  if (result.decode) parts.push(decodingTables(result.decode));
  if (result.profile) parts.push(['```text', ...result.profile, '```'].join('\n'));
  return parts.join('\n\n');
}

/** The table of docs/benchmarks.md: one row per case, host and adapter. */
export function summaryTable(results) {
  const timed = results.filter((r) => r.steps);
  const timedOf = (r, contestant) => r.steps.timed.find((t) => t.contestant === contestant);
  const three = (r, f) => ['heddle', 'tfjs', 'jax-js'].map((c) => (timedOf(r, c) ? f(timedOf(r, c)) : '–'));
  const rows = timed.map((r) => [
    r.what,
    `${adapterTitle(r)}, ${hosts[r.host]}`,
    r.steps.tuning?.untunedMs ? ms(r.steps.tuning.untunedMs) : '–',
    ...three(r, (t) => ms(t.medianMs)),
    Number.isNaN(speedup(r.steps.timed)) ? '–' : `${speedup(r.steps.timed).toFixed(1)}×`,
    three(r, (t) => mib(t.peakBytes)).join(' / '),
    three(r, (t) => t.dispatches).join(' / '),
    three(r, (t) => seconds(t.firstStepMs)).join(' / '),
  ]);
  const head = [
    'step',
    'on',
    'heddle ms, untuned',
    'auto-tuned',
    'TensorFlow.js ms',
    'jax-js ms',
    'speed-up over the faster library, auto-tuned',
  ];
  return table(
    [
      ...head,
      'GPU MiB (heddle / TensorFlow.js / jax-js)',
      'dispatches (same order)',
      'first step s (same order)',
    ],
    rows,
  );
}

/** The latest result for each host, adapter and subject; cases first. */
export function latest(results) {
  const found = new Map();
  for (const r of [...results].sort((a, b) => a.date.localeCompare(b.date)))
    found.set([r.host, adapterTitle(r), r.what].join(' '), r);
  const order = ['small', 'mid', 'keras', 'base', 'kernels'];
  const rank = (r) => (order.includes(r.what) ? order.indexOf(r.what) : order.length);
  return [...found.values()].sort(
    (a, b) => rank(a) - rank(b) || a.what.localeCompare(b.what) || b.host.localeCompare(a.host),
  );
}

/** Tables of the products of square matrices, one for each host. */
export const squareProducts = (results) =>
  results
    .filter((r) => r.kernels)
    .map((r) => {
      const kernels = r.kernels.filter(({ name }) => /^matmul \d+³$/.test(name));
      return `${hosts[r.host]}, ${adapterTitle(r)}, ${r.date.slice(0, 10)}:\n\n${kernelsTable({ kernels })}`;
    })
    .join('\n\n');

/** A line on the time of heddle's first step on a new adapter, auto-tuning included, if it was measured. */
export function firstUses(results) {
  const times = results
    .filter((r) => r.steps?.tuning?.firstUseMs)
    .map((r) => `${r.what} ${seconds(r.steps.tuning.firstUseMs)} s (${hosts[r.host]})`);
  if (times.length === 0) return [];
  return [
    `heddle's kernels are auto-tuned beforehand; on a new adapter, including auto-tuning with the default budget of 2 s, its first step takes: ${times.join(', ')}`,
  ];
}

/** Reads the results in a folder. Throws an Error that names the first invalid file, and why. */
export function readResults(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => {
      try {
        const result = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        const missing = nullIn(result);
        if (missing) throw new Error(`${missing} is null`);
        section(result);
        return result;
      } catch (error) {
        throw new Error(
          `${join(folder, name)} cannot be shown: ${error.message}. Remove it, or measure again.`,
        );
      }
    });
}

/** Numbers that may be null. */
const optional = ['libraryBytes', 'gflops'];

/**
 * Path of the first number that is null but must not be, e.g. `steps.timed.0.medianMs`. JSON has null for NaN
 * and infinities.
 */
function nullIn(part, path = []) {
  if (part === null) return optional.includes(path.at(-1)) ? undefined : path.join('.');
  if (typeof part !== 'object') return undefined;
  for (const [key, inner] of Object.entries(part)) {
    const found = nullIn(inner, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
