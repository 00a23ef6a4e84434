// Files that still load code on demand without a table. The list only shrinks.
export const hiddenImports: readonly string[] = ['src/train/run/logbook.ts', 'src/train/run/training-run.ts'];
