// The table of settings, and what is generated from it and the tables of the model and of decoding:
// docs/settings.md and train-setting-types.ts. `npx vitest run -u tests/train/settings/settings.test.ts` writes
// them.
import { expect, it } from 'vitest';
import { describeType, flagOf, type OptionField, type ValueOf } from '../../../src/core/fields.ts';
import { decodeFields } from '../../../src/decode/decode-fields.ts';
import { modelFields } from '../../../src/model/model-fields.ts';
import { describeDefault } from '../../../src/train/settings/run-defaults.ts';
import { type Setting, settingGroups } from '../../../src/train/settings/setting-types.ts';
import type { SettingName, Table } from '../../../src/train/settings/settings.ts';
import type { LoraSettings } from '../../../src/train/settings/train-setting-types.ts';
import {
  checkSettings,
  settingRows,
  type TrainSettings,
} from '../../../src/train/settings/train-settings.ts';
import { optionFile } from '../../support/option-interface.ts';
import { rowsWithHelp } from '../../support/row-comments.ts';
import type { Same } from '../../support/types.ts';

/** The values of a field in words. */
function valuesOf({ type }: OptionField): string {
  if (type.kind === 'choice') return type.choices.join(', ');
  if (type.kind === 'boolean') return 'true, false';
  if (type.kind !== 'integer' && type.kind !== 'number')
    return describeType(type).replace(/^an? (?!rate)/, '');
  return ['n', '', 'name'].includes(type.unit) ? describeType(type) : `${describeType(type)} (${type.unit})`;
}

const line = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function row(name: string, setting: Setting): string {
  const { help, aliases = [], resume } = setting;
  const flags = [flagOf(name, setting), ...aliases.map((alias) => `--${alias}`)].map((flag) => `\`${flag}\``);
  return line([
    `\`${name}\``,
    flags.join(', '),
    `${help}${resume ? ' †' : ''}`,
    valuesOf(setting),
    describeDefault(name as SettingName) ?? '',
  ]);
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

## Decoding

The options of \`translate\` and the other functions that generate text; the flags of \`heddle translate\` and \`heddle eval\`.

| option | flag | meaning | values | default |
|---|---|---|---|---|
${decodingRows().join('\n')}

## Model configuration

The fields of \`model\`, which \`--set FIELD=VALUE\` and \`config.json\` have too. A preset gives some of them other values.

| field | meaning | values | default |
|---|---|---|---|
${modelRows().join('\n')}
`;
}

/** Rows of the decoding options. */
const decodingRows = (): string[] =>
  rowsWithHelp('decode/decode-fields.ts', 'decodeFields', decodeFields).map(([name, field]) => {
    const flag = name === 'method' ? '--sample' : flagOf(name, field);
    const standard = field.defaultText ?? '';
    return line([`\`${name}\``, flag ? `\`${flag}\`` : '', field.help, valuesOf(field), standard]);
  });

/** Rows of the fields of the model configuration. */
const modelRows = (): string[] =>
  rowsWithHelp('model/model-fields.ts', 'modelFields', modelFields).map(([name, field]) =>
    line([`\`${name}\``, field.help, valuesOf(field), field.defaultText ?? '']),
  );

it('writes docs/settings.md', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/settings.md');
});

it('has an interface with the help texts of the table', async () => {
  const [lora, others] = [true, false].map((inLora) =>
    settingRows.flatMap(([name, setting]) =>
      name.startsWith('lora.') === inLora ? [[name.replace('lora.', ''), setting] as const] : [],
    ),
  );
  const file = optionFile(
    'The options of `train` with their documentation.',
    'src/train/settings/settings.ts',
    'tests/train/settings/settings.test.ts',
    [
      "import type { ModelOptions } from '../../model/model-config.ts';",
      "import type { DropoutRates } from '../../model/model-config-types.ts';",
    ],
    [
      {
        name: 'LoraSettings',
        help: 'Options of a LoRA adapter to train.',
        rows: lora ?? [],
        optional: true,
        required: ['rank'],
        defaultOf: (name) => (name === 'rank' ? undefined : describeDefault(`lora.${name}` as SettingName)),
      },
      {
        name: 'TrainSettings',
        help: 'Options of a training run; docs/settings.md lists them in a table.',
        rows: others ?? [],
        optional: true,
        defaultOf: (name) => describeDefault(name as SettingName),
        more: [
          '  /** Trains a LoRA adapter; all other weights are frozen. Default: train all weights. */',
          '  readonly lora?: LoraSettings;',
        ],
      },
    ],
  );
  await expect(file).toMatchFileSnapshot('../../../src/train/settings/train-setting-types.ts');
  type Values = {
    readonly [Name in SettingName as Name extends `lora.${string}` ? never : Name]?: ValueOf<
      Table[Name]['type']
    >;
  };
  type LoraValues = {
    readonly [Name in SettingName as Name extends `lora.${infer F}` ? F : never]?: ValueOf<
      Table[Name]['type']
    >;
  };
  const same: Same<Omit<TrainSettings, 'lora'>, Values> = true;
  const sameLora: Same<LoraSettings, Omit<LoraValues, 'rank'> & { readonly rank: number }> = true;
  expect([same, sameLora]).toEqual([true, true]);
});

it('names an option that does not exist, or a value that is not allowed', () => {
  expect(() => checkSettings({ learnRate: 1 } as object)).toThrow(
    'train: there is no option learnRate. Did you mean learningRate?',
  );
  expect(() => checkSettings({ steps: 1.5 })).toThrow(
    'train: steps is 1.5, it must be a whole number of at least 1',
  );
  expect(() => checkSettings({ optimizer: 'lion' as 'sgd' })).toThrow(
    'optimizer is "lion", it must be one of adamw, adam',
  );
  expect(() => checkSettings({ lora: { alpha: 4 } as unknown as { rank: number } })).toThrow(
    'lora.alpha needs lora.rank',
  );
});
