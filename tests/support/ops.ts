// Finds the ops that source files define by loading them.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Sorted names of the ops that files export: constants whose name ends in Op. */
export async function readDefinedOps(paths: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const path of paths) {
    const exported = [...readFileSync(path, 'utf8').matchAll(/^export const (?!defineOp)(\w+Op)\b/gm)].map(
      (m) => m[1] as string,
    );
    if (exported.length === 0) continue;
    const module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as Record<
      string,
      { name: string }
    >;
    for (const name of exported) names.push((module[name] as { name: string }).name);
  }
  return names.sort();
}
