// npm run fuzz -- [--seconds 30] [--target NAME] [--seed N] [--count N]: mutates valid files of every kind
// and reads them. A failure is an error that is not a HeddleError, more than 5 seconds of work, or more than
// 1.5 GiB of memory; its target and seed are printed to reproduce it. The work runs in a child process, so
// that a case that hangs or crashes is found too.
import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { tryCase } from './fuzz-case.ts';
import { type Target, targets } from './fuzz-targets.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    target: { type: 'string' },
    seed: { type: 'string' },
    count: { type: 'string' },
    fixtures: { type: 'string' },
    child: { type: 'boolean', default: false },
  },
});

/** Maximum milliseconds of a case, and maximum bytes of the process. */
const limits = { ms: 5000, bytes: 1.5 * 2 ** 30 };

interface Case {
  readonly target: string;
  readonly seed: number;
}
type Report = Case &
  ({ kind: 'begin' } | { kind: 'end'; rejected: boolean } | { kind: 'failed'; error: string });

const chosen = (all: readonly Target[]) => {
  const found = all.filter(({ name }) => values.target === undefined || name === values.target);
  if (found.length === 0) {
    console.error(
      `fuzz: --target ${values.target}: it must be one of ${all.map(({ name }) => name).join(', ')}`,
    );
    process.exit(1);
  }
  return found;
};
const tell = (report: Report) =>
  new Promise<void>((resolve) => process.send?.(report, undefined, undefined, () => resolve()));

/** The child process: runs the cases that it receives in order. */
async function work(): Promise<void> {
  const all = await targets(values.fixtures);
  const byName = new Map(all.map((target) => [target.name, target]));
  process.on('message', async ({ target: name, seed }: Case) => {
    const target = byName.get(name) as Target;
    const before = process.memoryUsage().rss;
    try {
      const rejected = await tryCase(target, seed);
      const { rss } = process.memoryUsage();
      if (rss > limits.bytes) throw new Error(`${rss} bytes of memory, ${before} before`);
      await tell({ target: name, seed, kind: 'end', rejected });
    } catch (error) {
      await tell({
        target: name,
        seed,
        kind: 'failed',
        error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
      });
    }
  });
  await tell({ target: '', seed: 0, kind: 'begin' });
}

/** A child process that is ready for cases. */
async function startChild(): Promise<ChildProcess> {
  const args = ['--child', ...(values.fixtures ? ['--fixtures', values.fixtures] : [])];
  const child = fork(process.argv[1] as string, args, { execArgv: ['--max-old-space-size=1024'] });
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the fuzzer's child ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  return child;
}

/** Runs a case in a child process and returns its outcome. */
function ask(child: ChildProcess, wanted: Case): Promise<Report> {
  return new Promise((resolve) => {
    const end = (report: Report) => {
      clearTimeout(timer);
      child.removeAllListeners('message').removeAllListeners('exit');
      resolve(report);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end({ ...wanted, kind: 'failed', error: `no end after ${limits.ms} ms` });
    }, limits.ms);
    child.once('message', (report) => end(report as Report));
    child.once('exit', (code, signal) =>
      end({ ...wanted, kind: 'failed', error: `the process died (${signal ?? code})` }),
    );
    child.send(wanted);
  });
}

async function main(): Promise<void> {
  const all = chosen(await targets(values.fixtures));
  const first = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
  const end = performance.now() + Number(values.seconds) * 1000;
  const limit = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  const counts = new Map(all.map(({ name }) => [name, { tried: 0, rejected: 0, failed: 0 }]));
  const told = new Set<string>();
  let child = await startChild();
  // A reader that goes away (`npm run fuzz | head`) ends the fuzzer as SIGPIPE does, without a stack.
  process.stdout.on('error', () => {
    child.kill('SIGKILL');
    process.exit(141);
  });
  console.log(`${all.length} kinds of files from seed ${first}, for ${values.seconds} s at most`);
  for (let i = 0; i < limit && performance.now() < end; i++) {
    const target = all[i % all.length] as Target;
    const count = counts.get(target.name) as { tried: number; rejected: number; failed: number };
    const report = await ask(child, {
      target: target.name,
      seed: (first + Math.floor(i / all.length)) >>> 0,
    });
    count.tried++;
    if (report.kind === 'end' && report.rejected) count.rejected++;
    if (report.kind !== 'failed') continue;
    count.failed++;
    // The same failure is printed once: the key is its message without numbers, and the stack frame.
    const [message = '', ...where] = report.error.split('\n');
    const key = `${target.name} ${message.replace(/\d+/g, 'N')} ${where[0]}`;
    if (!told.has(key))
      console.log(
        `FAILED --target ${report.target} --seed ${report.seed} --count 1\n${[message, ...where.slice(0, 4)].join('\n')}\n`,
      );
    told.add(key);
    if (child.exitCode !== null || child.killed || child.signalCode !== null) child = await startChild();
  }
  child.kill();
  let [tried, failed] = [0, 0];
  for (const [name, count] of counts) {
    console.log(
      `${name.padEnd(22)} ${count.tried} tried, ${count.rejected} rejected, ${count.failed} failed`,
    );
    tried += count.tried;
    failed += count.failed;
  }
  console.log(`${tried} cases from seed ${first}: ${failed} failed`);
  process.exitCode = failed > 0 || tried === 0 ? 1 : 0;
}

await (values.child ? work() : main());
