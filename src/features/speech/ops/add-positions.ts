// Adds a table of positions to frames.

import wgsl from '../../../../shaders/features/speech/add-positions.wgsl?raw';
import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, show, sizeOf, tensorType } from '../../../core/tensor.ts';
import { positionBackwardOp } from '../../../engine/ops/embedding/embedding-backward.ts';
import { attrsOf, type Builder, defineOp, type Value } from '../../../engine/ops/op.ts';
import { expectType } from '../../../engine/ops/type-checks.ts';
import { gridOf } from '../../../engine/ops/work-division.ts';

/** Whether the table is trained. */
export type AddPositionsAttrs = { readonly learned: boolean };

/** x [B,T,D], positions [L,D] with L of at least T; y [B,T,D] = x plus the first T rows. y may take the memory of x. */
export const addPositionsOp = defineOp({
  name: 'add_positions',
  inputs: ['x', 'positions'],
  outputs: ['y'],
  attrs: attrsOf<AddPositionsAttrs>(),
  shape({ x, positions }) {
    expectType('add_positions', 'x', x, 'f32');
    expectType('add_positions', 'positions', positions, 'f32', [dim(positions, 0), dim(x, -1)]);
    check(
      x.shape.length === 3 && dim(x, 1) <= dim(positions, 0),
      () => msg`x ${show(x.shape)} needs as many positions, the table is ${show(positions.shape)}`,
      { area: 'add_positions' },
    );
    return { y: tensorType('f32', x.shape) };
  },
  inPlace: { y: 'x' },
  f16Storage: ['x', 'y'],
  launch({ x, positions }, { y }, _attrs, { shared }) {
    const inPlace = shared('x', 'y');
    return [
      {
        shader: { name: 'add-positions', source: wgsl },
        entry: inPlace ? 'add_positions_in_place' : 'add_positions',
        params: { count: sizeOf(x.shape), row: sizeOf(x.shape.slice(1)) },
        bind: inPlace ? { positions, y } : { x, positions, y },
        grid: gridOf(sizeOf(x.shape), 256),
      },
    ];
  },
  grad: (builder, { positions }, _outputs, { y: dy }, { learned }) => {
    if (!dy) return {};
    const sizes = { rate: 0, site: 0, rows: dim(positions, 0), offset: 0 };
    const trained = learned && builder.needs(positions);
    return {
      x: dy,
      positions: trained ? builder.apply(positionBackwardOp, { dy }, sizes).dpositions : undefined,
    };
  },
  reference: ({ x, positions }, { y }) => {
    const row = x.size / x.dim(0);
    for (let i = 0; i < y.size; i++) y.set(i, x.at(i) + positions.at(i % row));
  },
});

/** x [B,T,D] plus the first T rows of positions [L,D]. */
export const addPositions = (builder: Builder, x: Value, positions: Value, learned: boolean): Value =>
  builder.apply(addPositionsOp, { x, positions }, { learned }).y;
