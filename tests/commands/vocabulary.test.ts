// One name for one thing (docs/conventions.md): an option of the library is the flag of the same name.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { commandNames, commands } from '../../src/commands/commands.ts';
import { flagAliases } from '../../src/commands/flag-aliases.ts';
import { type FieldRow, flagOf } from '../../src/core/fields.ts';
import { decodeRows } from '../../src/decode/decode-fields.ts';
import { settingRows } from '../../src/features/all-settings.ts';

const kebab = (name: string) => name.replace(/\./g, '-').replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** The flags of each command, from its own definition. */
const flagsOf = new Map<string, string[]>();
for (const name of commandNames) {
  const program = new Command();
  await commands[name].add(program);
  const [command] = program.commands;
  flagsOf.set(name, command?.options.map(({ long }) => long ?? '') ?? []);
}
const all = new Set([...flagsOf.values()].flat());

it.each<readonly [string, FieldRow]>([...decodeRows, ...settingRows])(
  '%s is the flag of this name, or has none',
  (name, row) => {
    const flag = flagOf(name, row);
    if (flag === undefined) return;
    // One row names fields of the model: --set FIELD=VALUE.
    if (flag === '--set') return expect(name).toBe('model');
    expect([`--${kebab(name)}`, `--no-${kebab(name)}`]).toContain(flag);
  },
);

it('options of calls that are no decoding options have flags of the same names', () => {
  const names = [
    ...['batchSize', 'maxLength', 'longTexts', 'replaceUnknown', 'splitSentences', 'badWords', 'prefix'],
    ...['sourceLang', 'targetLang', 'lora', 'ensemble', 'weights', 'weightsExclude', 'phrases', 'adapter'],
    ...['memoryLimit', 'memoryBudget', 'out', 'force', 'resume', 'dtype'],
  ];
  expect(names.map((name) => `--${kebab(name)}`).filter((flag) => !all.has(flag))).toEqual([]);
});

it('no command lists an older name', () => {
  expect(Object.keys(flagAliases).filter((flag) => all.has(flag))).toEqual([]);
});

it('an older name is listed with its new one in docs/conventions.md', () => {
  const text = readFileSync(new URL('../../docs/conventions.md', import.meta.url), 'utf8');
  for (const [old, [flag]] of Object.entries(flagAliases)) {
    expect(text).toContain(`\`${old}\``);
    expect(all).toContain(flag);
  }
});
