// Times training steps and square products of heddle, untuned and auto-tuned, and of PyTorch on the CPU, in turn, and
// stores the times in bench/results; npm run bench:table writes them into docs/benchmarks.md.
//
//   npm run bench:pytorch -- [--cases small,mid,keras,base] [--products 256,512,1024,2048,4096] [--rounds 5]
//     [--tune-ms 20000] [--threads N] [--no-write]         (needs Debian's python3-torch, python3-safetensors)
//
// Debian's PyTorch takes the BLAS of the machine: apt-get install libopenblas0-pthread, or its products of float32
// take 20 times as long. Exits with status 1 if a loss differs from PyTorch's by more than 0.1 %.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openSources } from './sources.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: 'small,mid,keras,base' },
    products: { type: 'string', default: '256,512,1024,2048,4096' },
    rounds: { type: 'string', default: '5' },
    'tune-ms': { type: 'string', default: '20000' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'no-write': { type: 'boolean', default: false },
  },
});
const list = (text) => text.split(',').filter(Boolean);
const rounds = Number(values.rounds);
const budgetMs = Number(values['tune-ms']);
if (!(rounds > 0 && budgetMs >= 0 && Number(values.threads) > 0))
  throw new Error('--rounds and --threads must be positive, --tune-ms not negative');

const vite = await openSources();
const load = async (path) => vite.ssrLoadModule(path);
const { dawnGpu } = await load('/src/host/dawn.ts');
const { nodeFiles } = await load('/src/host/node-files.ts');
const { readGolden } = await load('/src/commands/jobs/verify/golden-case.ts');
const { caseFolders, prepareCase } = await load('/bench/peers/bench-cases.ts');
const { findPytorch } = await load('/bench/peers/golden-maker.ts');
const { kernelList, makeArrays } = await load('/bench/peers/peer-kernels.ts');
const { create, tuneStep } = await load('/bench/peers/heddle-contestant.ts');

const log = (line) => console.error(`[${(performance.now() / 1e3).toFixed(0)} s] ${line}`);
const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
/** Milliseconds of work, and `cpu` of all threads of this process, which change little if other programs run. */
const timed = async (work) => {
  const begun = performance.now();
  const used = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - begun, cpu: (user + system) / 1e3, value };
};

const python = findPytorch();
if (!python) throw new Error('there is no Python with torch and safetensors; PYTHON names one');
const gpu = await dawnGpu();
Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'node' }, configurable: true });
const loads = [loadavg()[0]];
const steps = [];
const products = [];
let versions;

for (const name of list(values.cases)) steps.push(await compareSteps(name));
if (list(values.products).length > 0) await compareProducts(list(values.products).map(Number));
await finish();

/** Steps of a case: untuned, tuned and PyTorch's, in turn. */
async function compareSteps(name) {
  const { folder } = await prepareCase(name, caseFolders(process.cwd()), log);
  const golden = await readGolden(nodeFiles(), folder);
  const choices = budgetMs > 0 ? await tuneStep(golden, { budgetMs }) : undefined;
  const torch = await startTorch(folder);
  const models = { untuned: (await create()).model(golden) };
  if (choices) models.tuned = (await create({ choices })).model(golden);
  const times = { untuned: [], tuned: [], torch: [] };
  const losses = {};
  for (let round = -2; round < rounds; round++) {
    for (const [form, model] of Object.entries(models)) {
      const { ms, cpu, value } = await timed(() => model.step());
      if (round >= 0) times[form].push({ ms, cpu });
      losses[form] = value;
    }
    const [ms, cpu, loss] = await torch.ask('step');
    if (round >= 0) times.torch.push({ ms, cpu });
    for (const [form, own] of Object.entries(losses))
      if (!(Math.abs(own / loss - 1) < 1e-3))
        throw new Error(`${name}: heddle's loss (${form}) is ${own}, PyTorch's ${loss}`);
  }
  for (const model of Object.values(models)) model.dispose();
  torch.end();
  return row(name, times);
}

/** Products of square matrices, in turn. */
async function compareProducts(sizes) {
  const { folder } = await prepareCase('tiny', caseFolders(process.cwd()), log);
  const torch = await startTorch(folder);
  const { kernels } = await create();
  for (const n of sizes) {
    const spec = kernelList.find(({ name }) => name === `matmul ${n}³`);
    if (!spec) throw new Error(`--products ${n}: it is none of ${kernelList.map((k) => k.name).join(', ')}`);
    const inputs = makeArrays(spec);
    const runs = { untuned: await kernels.matmul.untuned(inputs) };
    if (budgetMs > 0) runs.tuned = await kernels.matmul.own(inputs);
    const times = { untuned: [], tuned: [], torch: [] };
    const calls = Math.max(1, Math.round(2e9 / spec.flops));
    for (let round = -1; round < rounds; round++) {
      for (const [form, run] of Object.entries(runs)) {
        const { ms, cpu } = await timed(() => run.run(calls));
        if (round >= 0) times[form].push({ ms: ms / calls, cpu: cpu / calls });
      }
      for (let call = 0; call < calls; call++) {
        const [ms, cpu] = await torch.ask(`product ${n}`);
        if (round >= 0) times.torch.push({ ms, cpu });
      }
    }
    for (const run of Object.values(runs)) run.dispose();
    products.push({ ...row(`matmul ${n}³`, times), flops: spec.flops });
  }
  torch.end();
}

/** Medians of the times of a name. */
function row(name, times) {
  const of = (all, what) => Number(median(all.map((time) => time[what])).toPrecision(4));
  const found = Object.fromEntries(
    Object.entries(times)
      .filter(([, all]) => all.length > 0)
      .map(([form, all]) => [form, { ms: of(all, 'ms'), cpuMs: of(all, 'cpu') }]),
  );
  log(`${name}: ${JSON.stringify(found)}`);
  return { name, ...found };
}

/** A process of PyTorch that answers lines. */
async function startTorch(folder) {
  const child = spawn(python, [join(import.meta.dirname, 'torch_times.py'), folder, values.threads], {
    env: { ...process.env, OMP_NUM_THREADS: values.threads, OPENBLAS_NUM_THREADS: values.threads },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error('PyTorch ended');
    return value;
  };
  versions = JSON.parse(await next());
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    return (await next()).split(' ').map(Number);
  };
  return { ask, end: () => child.stdin.end() };
}

/** Prints and stores the result. */
async function finish() {
  const { vendor, architecture, device, description } = (await gpu.requestAdapter()).info;
  const date = new Date().toISOString();
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const result = {
    what: 'pytorch',
    host: 'dawn',
    date,
    adapter: { vendor, architecture, device, description },
    machine: { cpu: cpus()[0].model.trim(), cores: availableParallelism() },
    versions: {
      heddle: `${version} (${commit})`,
      PyTorch: `${versions.torch} with ${versions.blas}`,
      Node: process.versions.node,
    },
    load: [...loads, loadavg()[0]],
    pytorch: { threads: Number(values.threads), rounds, steps, products },
  };
  console.log(JSON.stringify(result, undefined, 1));
  if (!values['no-write'])
    writeFileSync(
      `bench/results/${date.slice(0, 10)}-dawn-pytorch.json`,
      `${JSON.stringify(result, undefined, 1)}\n`,
    );
  await vite.close();
  process.exit(0); // Dawn's and the driver's threads would keep Node alive
}
