// The table of settings, and what is generated from it and the tables of the model and of decoding:
// docs/settings.md and train-setting-types.ts. `npx vitest run -u tests/train/settings/settings.test.ts` writes
// them.
import { expect, it } from 'vitest';
import { describeType, flagOf, type OptionField, type ValueOf } from '../../../src/core/fields.ts';
import { renderMessage } from '../../../src/core/message.ts';
import { type Setting, settingGroups } from '../../../src/core/setting.ts';
import { decodeRows } from '../../../src/decode/decode-fields.ts';
import { settingRows, settingTable } from '../../../src/features/all-settings.ts';
import { modelFields } from '../../../src/model/model-fields.ts';
import { describeDefault } from '../../../src/train/settings/run-defaults.ts';
import { type SettingName, settings, type Table } from '../../../src/train/settings/settings.ts';
import type { LoraSettings } from '../../../src/train/settings/train-setting-types.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { optionFile, shownDefault } from '../../support/option-interface.ts';
import type { Same } from '../../support/types.ts';

/** The values of a field in words. */
function valuesOf({ type }: OptionField): string {
  if (type.kind === 'choice') return type.choices.join(', ');
  if (type.kind === 'boolean') return 'true, false';
  if (type.kind !== 'integer' && type.kind !== 'number')
    return renderMessage(describeType(type)).replace(/^an? (?!rate)/, '');
  const words = renderMessage(describeType(type));
  return ['n', '', 'name'].includes(type.unit) ? words : `${words} (${type.unit})`;
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
    describeDefault(name, setting) ?? '',
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
  decodeRows.map(([name, field]) => {
    const flag = flagOf(name, field);
    const standard = field.defaultText ?? shownDefault(field.default) ?? '';
    return line([`\`${name}\``, flag ? `\`${flag}\`` : '', field.help, valuesOf(field), standard]);
  });

/** Rows of the fields of the model configuration. */
const modelRows = (): string[] =>
  Object.entries<OptionField>(modelFields).map(([name, field]) =>
    line([
      `\`${name}\``,
      field.help,
      valuesOf(field),
      field.defaultText ?? shownDefault(field.default) ?? '',
    ]),
  );

it('writes docs/settings.md', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/settings.md');
});

it('has an interface with the help texts of the table', async () => {
  const [lora, others] = [true, false].map((inLora) =>
    Object.entries(settings).flatMap(([name, setting]: [string, Setting]) =>
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
        defaultOf: (name, row) => (name === 'rank' ? undefined : describeDefault(`lora.${name}`, row)),
      },
      {
        name: 'TrainSettings',
        help: 'Options of a training run; docs/settings.md lists them in a table.',
        rows: others ?? [],
        optional: true,
        defaultOf: describeDefault,
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
  expect(() => settingTable.check({ learnRate: 1 } as object)).toThrow(
    errorAbout({ area: 'train', values: ['learnRate', 'learningRate'] }),
  );
  expect(() => settingTable.check({ steps: 1.5 })).toThrow(
    errorAbout({ area: 'train', options: ['steps'], values: [1.5, 1] }),
  );
  expect(() => settingTable.check({ optimizer: 'unknown' as 'sgd' })).toThrow(
    errorAbout({ area: 'train', options: ['optimizer'], values: ['"unknown"', 'adamw', 'adam'] }),
  );
  expect(() => settingTable.check({ lora: { alpha: 4 } as unknown as { rank: number } })).toThrow(
    errorAbout({ area: 'train', options: ['lora.alpha', 'lora.rank'] }),
  );
});
