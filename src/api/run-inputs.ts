// The arguments and the data of a run, from what a caller gave: the way into a training and into its plan.

import { check } from '../core/errors.ts';
import type { SavedModel } from '../formats/shared/saved-model.ts';
import type { Features } from '../session/feature-table.ts';
import { checkPairs, heldOutParts, type Pair, type Split, splitPairs } from '../text/corpus/pairs.ts';
import { pairsOfCaller, type TrainArguments } from '../train/settings/train-arguments.ts';
import { SettingTable, type TrainSettings } from '../train/settings/train-settings.ts';
import { corpusOf, type KnownInputs, pairsIn } from './given-inputs.ts';
import { originOf } from './model.ts';
import type { TrainOptions } from './train-options.ts';

/**
 * Arguments and inputs of a run. Pairs are split like those of a file in `heddle train`. `heldOut`: the fraction of the
 * checkpoint that is resumed, for pairs. Throws a HeddleError that names an invalid pair.
 */
export async function runInputs(
  given: KnownInputs['pairs'],
  {
    dev: givenDev,
    test: givenTest,
    from,
    ...settings
  }: TrainSettings & Pick<KnownInputs, 'dev' | 'test'> & Pick<TrainOptions, 'from'>,
  features: Features,
  {
    out,
    resume = false,
    heldOut = settings.heldOut ?? new SettingTable(features.settings).defaults.heldOut,
  }: Pick<TrainArguments, 'out' | 'resume' | 'heldOut'> = { out: '' },
): Promise<{
  readonly args: TrainArguments;
  readonly split: Split | undefined;
  readonly sourceData: ReadonlyMap<string, Float32Array> | undefined;
  readonly base: { readonly saved: SavedModel; readonly name: string } | undefined;
}> {
  const corpus = await corpusOf(given, features);
  check(
    !corpus || !(givenDev ?? givenTest),
    'dev and test are options beside pairs; give the files of a corpus in its fields dev and test',
    { kind: 'input', area: 'train' },
  );
  const sourceData = new Map<string, Float32Array>();
  const read = async (list: object, name: string): Promise<readonly Pair[]> => {
    const pairs = await pairsIn(list, name, features, sourceData);
    checkPairs(pairs, name, { area: 'train' });
    return pairs;
  };
  const pairs = corpus ? [] : await read(given, 'pairs');
  const dev = givenDev && (await read(givenDev, 'dev'));
  const test = givenTest && (await read(givenTest, 'test'));
  const parts = corpus ? undefined : splitPairs(pairs, heldOutParts(heldOut, { dev, test }));
  const split = parts && {
    ...parts,
    dev: dev ? [...dev] : parts.dev,
    test: test ? [...test] : parts.test,
  };
  const origin = from && originOf(from);
  const base = origin && { saved: await origin.saved(), name: origin.name };
  const args = {
    ...settings,
    evalSteps: settings.evalSteps ?? (split?.dev.length === 0 ? 0 : undefined),
    testSentences: settings.testSentences ?? (split?.test.length === 0 ? 0 : undefined),
    init: base?.name ?? settings.init,
    corpus: corpus ?? pairsOfCaller,
    out,
    resume,
  } as const;
  return { args, split, sourceData: sourceData.size > 0 ? sourceData : undefined, base };
}
