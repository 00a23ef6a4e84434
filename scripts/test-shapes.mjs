// npm run test:shapes [-- SHAPE ...] [-- --files PATH ...]: runs the GPU tests on Dawn with the limits and
// features of each adapter shape in tests/support/adapter-shapes.mjs, or of the named shapes; with --files,
// only the test files whose path contains one of PATH.
import { adapterShapes } from '../tests/support/adapter-shapes.mjs';
import { SetupError } from './install.mjs';
import { runChecks, runProject } from './test-checks.mjs';

const args = process.argv.slice(2);
const end = args.indexOf('--files');
const names = end < 0 ? args : args.slice(0, end);
const files = end < 0 ? [] : args.slice(end + 1);

await runChecks(async () => {
  const unknown = names.find((name) => !adapterShapes.some((shape) => shape.name === name));
  if (unknown)
    throw new SetupError(
      `there is no shape ${unknown}; the shapes are ${adapterShapes.map((s) => s.name).join(', ')}`,
    );
  // 8 lanes, as llvmpipe has on most machines, unless the shape has others.
  const { LP_NATIVE_VECTOR_WIDTH: width = 256 } = process.env;
  for (const { name, vectorWidth = width } of adapterShapes) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.env.HEDDLE_SHAPE = name;
    process.env.LP_NATIVE_VECTOR_WIDTH = String(vectorWidth);
    await runProject({ name: 'dawn', label: name, minutes: 30, files });
  }
});
