// Positions for rows that are longer than the maximum length of a configuration, for kinds of positions without an
// end: those of M2M100 and T5.

import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from './model-config.ts';
import type { ParameterList } from './parameter-layout.ts';
import { fixedPositionRows, fixedPositions, grownPositions, growsPositions } from './positions.ts';

/** A configuration and its parameters, whose positions reach a length. */
export interface GrownModel {
  readonly config: ModelConfig;
  readonly parameters: ParameterList;
  /** Writes the tables of positions that only it has. */
  write(engine: Engine): void;
}

/** Lengths are rounded up to a multiple of this, so that few tables are written. */
const step = 256;

/** A model whose positions reach `length`; the same model if they do, or if its positions have an end. */
export function grownTo(config: ModelConfig, parameters: ParameterList, length: number): GrownModel {
  const { others = [] } = parameters.ensemble ?? {};
  const all = [config, ...others.map((other) => other.config)];
  const reaches = all.every((c) => length <= Math.min(c.maxLength, c.maxSource));
  if (reaches || !all.every(growsPositions)) return { config, parameters, write: () => undefined };
  const size = Math.ceil(length / step) * step;
  const grow = (c: ModelConfig): ModelConfig => ({
    ...c,
    maxLength: Math.max(c.maxLength, size),
    maxSource: Math.max(c.maxSource, size),
  });
  const growMember = (one: { readonly config: ModelConfig; readonly parameters: ParameterList }) => ({
    config: grow(one.config),
    parameters: { ...one.parameters, grownFrom: one.config },
  });
  const first = growMember({ config, parameters });
  const more = others.map(growMember);
  const ensemble = parameters.ensemble && { ...parameters.ensemble, others: more };
  return {
    config: first.config,
    parameters: { ...first.parameters, ensemble },
    write(engine) {
      for (const { config: c, parameters: p } of [first, ...more]) {
        const table = fixedPositions(c);
        const name = `positions${p.stateSuffix ?? ''}`;
        if (table) engine.write(grownPositions(name, fixedPositionRows(c)), table);
      }
    },
  };
}
