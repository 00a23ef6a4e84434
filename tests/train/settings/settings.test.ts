// The table of settings, and docs/settings.md, which is generated from it: `npx vitest run -u
// tests/train/settings/settings.test.ts`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { modelConfig, modelFields } from '../../../src/model/model-config.ts';
import { describeDefault } from '../../../src/train/settings/recipes.ts';
import { type Setting, settingGroups } from '../../../src/train/settings/setting-types.ts';
import {
  checkSettings,
  describeType,
  flagOf,
  settingRows,
} from '../../../src/train/settings/train-settings.ts';

const words: Record<string, string> = {
  boolean: 'true, false',
  text: 'text',
  list: 'list of texts',
  betas: 'two rates',
  dropout: 'rate, or rates by place',
  model: 'fields of the model configuration',
};

function row(name: string, setting: Setting): string {
  const { type, help, aliases = [], resume } = setting;
  const flags = [flagOf(name as 'steps'), ...aliases.map((alias) => `--${alias}`)].map(
    (flag) => `\`${flag}\``,
  );
  const values = type.kind === 'choice' ? type.choices.join(', ') : (words[type.kind] ?? describeType(type));
  const cells = [
    `\`${name}\``,
    flags.join(', '),
    `${help}${resume ? ' †' : ''}`,
    ['n', '', 'name'].includes(type.unit) || words[type.kind] ? values : `${values} (${type.unit})`,
    describeDefault(name as 'steps') ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function page(): string {
  const groups = settingGroups.map((group) => {
    const rows = settingRows
      .filter(([, setting]) => setting.group === group)
      .map(([name, s]) => row(name, s));
    return [
      `## ${group}`,
      '',
      '| option | flag | meaning | values | default |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `# Settings of a training run

<!-- Generated from src/train/settings/settings.ts by tests/train/settings/settings.test.ts. -->

The options of \`train\` in the library, the flags of \`heddle train\` and the fields of \`arguments\` in a checkpoint's \`state.json\`.
Options with a dot are fields of an option: \`lora: { rank: 8 }\`. Some defaults depend on the kind of run: built-in corpus, built-in
tasks, pairs (your own files or array), \`preset: 'keras'\`, or fine-tuning a model. † may change when a run is resumed; all other settings are those of the checkpoint.

${groups.join('\n\n')}

## Model configuration

The fields of \`model\`, which \`--set FIELD=VALUE\` and \`config.json\` have too. A preset gives some of them other values.

| field | meaning | values | default |
|---|---|---|---|
${modelRows().join('\n')}
`;
}

/** Rows of the fields of ModelConfig: meaning and type from its declaration, defaults from `modelConfig`. */
function modelRows(): string[] {
  const source = readFileSync(join(import.meta.dirname, '../../../src/model/model-config.ts'), 'utf8');
  const [, fields = ''] = /export interface ModelConfig \{\n(.*?)\n\}/s.exec(source) ?? [];
  const complete: Record<string, unknown> = { ...modelConfig({ srcVocab: 8, tgtVocab: 8 }), dropout: 0 };
  return [...fields.matchAll(/\/\*\*(.*?)\*\/\s+readonly (\w+): ([^;]+);/gs)].map(
    ([, comment = '', field = '', type]) => {
      const [meaning, given] = comment
        .replace(/\s*\n\s*\* ?/g, ' ')
        .trim()
        .split(/ Default (.*)\.$/s);
      const values = { boolean: 'true, false', number: 'number', DropoutRates: 'rate, or rates by place' }[
        type ?? ''
      ];
      const standard = /Vocab$/.test(field) ? '' : (given ?? complete[field]);
      return `| \`${field}\` | ${meaning} | ${values ?? type?.replaceAll("'", '').replaceAll(' | ', ', ')} | ${standard} |`;
    },
  );
}

it('describes each field of the model configuration', () => {
  expect(
    modelRows()
      .map((line) => /`(\w+)`/.exec(line)?.[1])
      .sort(),
  ).toEqual([...modelFields].sort());
});

it('writes docs/settings.md', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/settings.md');
});

it('names an option that does not exist, or a value that is not allowed', () => {
  expect(() => checkSettings({ learnRate: 1 } as object)).toThrow(
    /there is no option learnRate; the options are steps,/,
  );
  expect(() => checkSettings({ steps: 1.5 })).toThrow(
    'train: steps (1.5) must be a whole number of at least 1',
  );
  expect(() => checkSettings({ optimizer: 'lion' as 'sgd' })).toThrow(
    'optimizer ("lion") must be one of adamw, adam',
  );
  expect(() => checkSettings({ lora: { alpha: 4 } as unknown as { rank: number } })).toThrow(
    'lora.alpha needs lora.rank',
  );
});
