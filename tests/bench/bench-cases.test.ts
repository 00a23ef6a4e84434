// Where the benchmark finds its golden cases, and what it says where there are none.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caseFolder, caseNames } from '../../bench/peers/bench-cases.ts';

describe('golden cases of the benchmark', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'heddle-cases-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const folders = () => ({
    known: [join(folder, 'known')],
    made: join(folder, 'made'),
    script: join(folder, 'golden.py'),
    wideScript: join(folder, 'wide_heads.py'),
  });
  const find = (name: string) => caseFolder(name, folders(), () => {});

  it('takes a case that is there', () => {
    mkdirSync(join(folder, 'known', 'post-relu'), { recursive: true });
    writeFileSync(join(folder, 'known', 'post-relu', 'config.json'), '{}');
    expect(find('post-relu')).toBe(join(folder, 'known', 'post-relu'));
  });

  it('makes a case again whose configuration is no longer what it was made for', () => {
    mkdirSync(join(folder, 'made', 'small'), { recursive: true });
    writeFileSync(join(folder, 'made', 'small', 'config.json'), '{"d_model": 64}');
    expect(() => find('small')).toThrow(/small must be made by golden\.py/);
  });

  it('knows those that can be made and those that are there, half-made ones left out', () => {
    for (const path of ['known/odd', 'made/small', 'made/base.partial']) {
      mkdirSync(join(folder, path), { recursive: true });
      writeFileSync(join(folder, path, 'config.json'), '{}');
    }
    mkdirSync(join(folder, 'known', 'notes'));
    expect(caseNames(folders())).toEqual(['small', 'mid', 'keras', 'base', 'odd']);
  });

  it('names the cases that can be made where one is unknown', () => {
    expect(() => find('huge')).toThrow(/no golden case huge .*small, mid, keras, base can be made/);
  });

  it('asks for golden.py where a case must be made without it', () => {
    expect(() => find('small')).toThrow(/small must be made by golden\.py, which is not at .*--golden PATH/);
  });

  it('says what golden.py failed of, and leaves no half-made case', () => {
    writeFileSync(join(folder, 'golden.py'), 'import sys\nsys.exit("no torch today")\n');
    expect(() => find('small')).toThrow(/no torch today|ENOENT/);
    expect(() => find('small')).toThrow(/python3-torch/);
  });
});
