// Measures "learn from my corrections" of the page of documents, by its own code: a model, 50 strings of a gettext
// catalog with their translations as corrections, the other strings as memory. BLEU on held-out strings of the
// memory, and on general sentences, before and after; also without rehearsal pairs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corrections, learnCorrections } from '../../demo/documents/worker/learn.ts';
import type { Model } from '../../src/api/model.ts';
import { renderMessage } from '../../src/core/message.ts';
import { keyOf } from '../../src/core/random.ts';
import { anyCodes, codesIn } from '../../src/features/documents/inline/code-patterns.ts';
import { parsePo } from '../../src/features/documents/pairs/po-file.ts';
import type { Pair } from '../../src/text/corpus/pairs.ts';

/** Number of corrections. */
const corrections = 50;

/** The strings of a catalog of two to 14 words without codes, in a random order that is the same in each run. */
function stringsOf(catalog: string): Pair[] {
  const po = execFileSync('msgunfmt', ['--no-wrap', catalog], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return parsePo(po.toString(), catalog)
    .entries.flatMap(({ id, plural, translations: [first] }): Pair[] => {
      const words = id.split(/\s+/).length;
      const isPlain = codesIn(id, anyCodes).length === 0 && !/[_\n%]/.test(id) && id !== first?.text;
      return first?.text && plural === undefined && isPlain && words > 1 && words < 15
        ? [{ source: id, target: first.text }]
        : [];
    })
    .sort((a, b) => (keyOf(a.source) >>> 0) - (keyOf(b.source) >>> 0));
}

/** Measures the model of a file and prints the figures. `general`: pairs of other texts. */
export async function measureCorrections(
  loadModel: (name: string) => Promise<Model>,
  name: string,
  catalog: string,
  general: string,
): Promise<void> {
  const strings = stringsOf(catalog);
  const [confirmed, memory] = [strings.slice(0, corrections), strings.slice(corrections)];
  const others = readFileSync(general, 'utf8')
    .split('\n')
    .flatMap((line): Pair[] => {
      const [source, target] = line.split('\t');
      return source && target ? [{ source, target }] : [];
    })
    .slice(0, 300);
  const folder = mkdtempSync(join(tmpdir(), 'heddle-corrections-'));
  const base = await loadModel(name);
  const before = await base.evaluate(others);
  const own = await base.translate(memory.map(({ source }) => source));
  base.dispose();
  const made = memory.map(({ source }, i) => ({ source, target: own[i] ?? '' }));
  console.log(`${confirmed.length} corrections of ${catalog}, ${memory.length} other strings\n`);
  console.log(
    '| rehearsal pairs                     | pairs | held out | BLEU before | after | general before | after | seconds |',
  );
  console.log(
    '| ----------------------------------- | ----: | -------: | ----------: | ----: | -------------: | ----: | ------: |',
  );
  const ways: Readonly<Record<string, Corrections>> = {
    'of the memory': { confirmed, memory, own: [] },
    "the model's translations, no memory": { confirmed, memory: [], own: made },
    'none, no memory': { confirmed, memory: [], own: [] },
  };
  for (const [way, given] of Object.entries(ways)) {
    const model = await loadModel(name);
    const report = await learnCorrections(model, given, join(folder, 'adapter'), (text) =>
      process.stderr.write(`\r${renderMessage(text).padEnd(60)}`),
    );
    process.stderr.write('\r');
    await model.addLora('learned', join(folder, 'adapter'));
    model.useLora('learned');
    const after = await model.evaluate(others);
    model.dispose();
    const numbers = [report.rehearsal, report.heldOut, report.before.toFixed(2), report.after.toFixed(2)];
    const rest = [before.bleu.toFixed(2), after.bleu.toFixed(2), report.seconds.toFixed(0)];
    console.log(`| ${[way.padEnd(35), ...numbers, ...rest].join(' | ')} |`);
  }
  rmSync(folder, { recursive: true, force: true });
}
