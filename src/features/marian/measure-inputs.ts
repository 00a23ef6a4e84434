// Calibration of int8 products: the largest inputs of a model's matrix products on texts, as multipliers of
// Marian's files.

import { check } from '../../core/errors.ts';
import type { RunningModel } from '../../formats/model-format.ts';
import { multipliersOf } from './files/input-multipliers.ts';
import { measureInputs } from './product-inputs.ts';

/** A text for calibration: a source, or a pair. */
export type CalibrationText = string | { readonly source: string; readonly target: string };

/**
 * The multipliers of the inputs of a model's products by name. A text without a translation is translated first;
 * texts that are too long are skipped. Throws a HeddleError if the weights are not f32, or no text is left.
 */
export async function inputMultipliers(
  engine: RunningModel,
  texts: readonly CalibrationText[],
): Promise<Record<string, number>> {
  const { config, source, target } = engine.saved;
  check(!engine.parameters.quantization, 'calibration needs a model with f32 weights', { area: 'save' });
  const given = texts.map((text) => (typeof text === 'string' ? { source: text, target: '' } : text));
  const full = given.filter((text) => {
    const size = source.encode(text.source).length;
    return size > 0 && size < config.maxLength && target.encode(text.target).length < config.maxLength;
  });
  check(full.length > 0, 'all texts of the calibration are empty or too long', { area: 'save' });
  return engine.inTurn(async () => {
    const left = full.filter((text) => text.target === '').map((text) => text.source);
    const made = left.length > 0 ? await engine.generate(left, { method: 'greedy' }) : [];
    const pairs = full.map((text) => {
      const translation = text.target || made.shift()?.[0]?.text || '';
      const ids = target.encode(translation).slice(0, config.maxLength - 1);
      return { source: [...source.encode(text.source), source.special.end], target: ids };
    });
    const own = await engine.engine();
    const peaks = await measureInputs(own, config, engine.parameters, pairs, (peak) => engine.write(peak));
    return multipliersOf(config, peaks);
  });
}
