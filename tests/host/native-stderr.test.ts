// Lines of native code on stderr are dropped for every kind of stderr; other lines are kept.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { distFile } from '../support/dist.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-stderr-'));
afterAll(() => rmSync(folder, { recursive: true }));

const program = join(folder, 'program.mjs');
writeFileSync(
  program,
  `import { writeSync } from 'node:fs';
  import { filterNativeStderr } from ${JSON.stringify(distFile('modules/host/native-stderr.js'))};
  process.stderr.write('before\\n');
  const wrong = process.argv[2] === 'throw';
  try {
    await filterNativeStderr(/^noise/, () => {
      writeSync(2, 'noise 1\\nkept\\nnoise 2\\n');
      if (wrong) throw new Error('failed');
    });
  } catch (error) {
    process.stderr.write(error.message + '\\n');
  }
  process.stderr.write('after\\n');
  console.log('result');`,
);
const node = `"${process.execPath}" "${program}"`;
const shell = (script: string) => execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
const all = 'before\nnoise 1\nkept\nnoise 2\nafter\n';

it.runIf(process.platform === 'linux')(
  'drops lines in a pipe and in a file that is appended to (needs Linux)',
  () => {
    expect(shell(`${node} 2>&1 >/dev/null | cat`)).toBe('before\nkept\nafter\n');
    expect(shell(`${node} throw 2>&1 >/dev/null | cat`)).toBe('before\nkept\nfailed\nafter\n');
    expect(shell(`${node} 2>&1 | cat`)).toBe('before\nkept\nafter\nresult\n');
    writeFileSync(join(folder, 'log'), 'first\n');
    expect(shell(`${node} 2>>log; echo last >>log; cat log`)).toBe(
      'result\nfirst\nbefore\nkept\nafter\nlast\n',
    );
    expect(shell(`TMPDIR=/nowhere ${node} 2>&1 | cat`)).toBe(`${all}result\n`);
  },
);

it.runIf(process.platform === 'linux' && spawnSync('script', ['--version']).status === 0)(
  'drops lines on a terminal (needs script of util-linux)',
  () => {
    execFileSync('script', ['-qec', node, join(folder, 'screen')], { stdio: 'ignore' });
    const screen = readFileSync(join(folder, 'screen'), 'utf8').replaceAll('\r', '');
    expect(screen).toContain('before\nkept\nafter\nresult\n');
  },
);

it.runIf(process.platform === 'linux')(
  'drops lines in a file at an offset, which others write too (needs Linux)',
  () => {
    const kept = 'before\nkept\nafter\n';
    expect(shell(`${node} 2>log; cat log`)).toBe(`result\n${kept}`);
    expect(shell(`${node} throw 2>log; cat log`)).toBe('result\nbefore\nkept\nfailed\nafter\n');
    expect(shell(`{ echo first >&2; ${node}; echo last >&2; } 2>log; cat log`)).toBe(
      `result\nfirst\n${kept}last\n`,
    );
    expect(shell(`{ ${node}; echo last; } >log 2>&1; cat log`)).toBe(`${kept}result\nlast\n`);
    // The rest of a longer file that is overwritten from its start stays.
    writeFileSync(join(folder, 'log'), '-'.repeat(100));
    expect(shell(`${node} 1<>log 2>&1; cat log`)).toBe(`${all}result\n`.padEnd(100, '-'));
  },
);

it.runIf(process.platform === 'linux')(
  'drops lines in front of a socket, and ends after the last line (needs Linux)',
  () => {
    const ended = (...args: string[]) =>
      spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    expect(ended()).toMatchObject({ stderr: 'before\nkept\nafter\n', stdout: 'result\n', status: 0 });
    expect(ended('throw')).toMatchObject({ stderr: 'before\nkept\nfailed\nafter\n', status: 0 });
    expect(readdirSync(tmpdir()).filter((name) => /^heddle-[\da-f-]{36}$/.test(name))).toEqual([]);
  },
);
