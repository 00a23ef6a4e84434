// `-` is stdin for every input of a command (docs/conventions.md).
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { commandNames, commands } from '../../src/commands/commands.ts';
import { fileFlags } from '../../src/commands/stdin-file.ts';
import { heddle, heddleProcess } from '../support/cli.ts';

it('knows how each flag of a file is used', async () => {
  const known = Object.values(fileFlags).flat();
  for (const name of commandNames) {
    const program = new Command();
    await commands[name].add(program);
    for (const { flags, long } of program.commands.flatMap(({ options }) => options))
      if (/<file/.test(flags) && long !== '--out') expect(known, name).toContain(long);
  }
});

it('reads a file that it needs whole from stdin', async () => {
  const config = 'languages: [en, es]\ndata: [pairs.tsv]\ndev: dev.tsv\n';
  const { status, stdout, stderr } = await heddleProcess(['language', '-', '--out', 'out', '--dry-run'], {
    input: config,
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^heddle clean pairs\.tsv /);
});

it('reads stdin once, and writes only --out to stdout', async () => {
  const twice = await heddle(['align', '-', '--compare', '-', '--out', 'links']);
  expect(twice.stderr).toContain('twice');
  const report = await heddle(['clean', 'pairs.tsv', '--out', 'kept.tsv', '--report', '-']);
  expect(report.stderr).toContain('--report -');
  expect([twice.status, report.status]).toEqual([1, 1]);
});
