// The training log: records to lines and back, resumed runs.
import { expect, it } from 'vitest';
import { formatLog, historyOf, type LogRecord, parseLog } from '../../../src/train/report/training-log.ts';
import { type ExpectedError, errorAbout } from '../../support/expect-error.ts';
import { dev, end, example, samples, start, step } from './example.ts';

it('writes one JSON object a line and reads the same records back', () => {
  const records = example(20);
  const text = formatLog(records);
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual(records);
  expect(text.endsWith('}\n')).toBe(true);
  expect(parseLog(text)).toEqual(records);
});

it('writes any text on one line', () => {
  const source = 'a\nb\r\u2028c\u0000"</script>\\';
  const record = samples(1, { samples: [{ source, reference: '', translation: '', exact: false }] });
  const text = formatLog([record]);
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(parseLog(text)).toEqual([record]);
});

it('writes numbers that are not finite as null, and reads them as NaN', () => {
  const text = formatLog([
    step(1, { loss: Number.NaN, gradientNorm: Number.POSITIVE_INFINITY, skipped: true }),
  ]);
  expect(JSON.parse(text)).toMatchObject({ loss: null, gradientNorm: null, skipped: true });
  expect(parseLog(text)[0]).toMatchObject({ loss: Number.NaN, gradientNorm: Number.NaN });
});

it('skips a last line that is truncated at any byte', () => {
  const records = [start(), step(1), step(2)];
  const whole = formatLog(records);
  const before = formatLog(records.slice(0, 2)).length;
  for (let at = before; at < whole.length - 1; at++)
    expect(parseLog(whole.slice(0, at))).toEqual(records.slice(0, 2));
  expect(parseLog(whole.slice(0, -1))).toEqual(records);
  expect(parseLog('')).toEqual([]);
});

it('ignores records of unknown types and empty lines', () => {
  expect(parseLog(`${formatLog([start()])}\n{"type":"note","text":"x"}\r\n${formatLog([step(1)])}`)).toEqual([
    start(),
    step(1),
  ]);
});

it.each<[string, ExpectedError]>([
  ['{"type":"start"\n{}\n', { values: ['log.jsonl: line 1'] }],
  [`${formatLog([step(1)])}7\n`, { values: ['log.jsonl: line 2'] }],
  ['null\n', { values: ['log.jsonl: line 1'] }],
  ['{"loss":1}\n', { values: ['log.jsonl: line 1'] }],
  ['[]\n', { values: ['log.jsonl: line 1'] }],
  ['{"type":"step","step":"x"}\n', { area: 'log.jsonl: line 1', values: ['step', '"x"', 'number'] }],
  [
    '{"type":"step","step":1}\n',
    { area: 'log.jsonl: line 1', values: ['loss', 'step', 'undefined', 'number'] },
  ],
  [
    '{"type":"samples","step":1,"samples":null}\n',
    { area: 'log.jsonl: line 1', values: ['samples', 'null', 'object'] },
  ],
  [formatLog([{ ...start(), version: 2 as 1 }]), { area: 'log.jsonl: line 1', values: ['2'] }],
])('names the line of %j', (text, expected) => {
  expect(() => parseLog(text)).toThrow(errorAbout(expected));
});

it('splits a log into records by kind', () => {
  const course = historyOf(example(300));
  expect(course.steps.map((s) => s.step)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  expect(course.evals.map((e) => [e.step, e.part])).toEqual([
    [150, 'dev'],
    [300, 'dev'],
    [300, 'test'],
  ]);
  expect([course.samples.length, course.ends.length]).toEqual([60, 1]);
  expect(() => historyOf([step(1)])).toThrow(errorAbout({ area: 'log' }));
});

it('drops records after the checkpoint that a run resumed from', () => {
  const killed: LogRecord[] = [
    start(),
    step(1),
    step(2),
    dev(2),
    step(3, { loss: 99 }),
    dev(3),
    samples(2),
    end({ step: 3 }),
  ];
  const course = historyOf([...killed, start({ step: 2, seed: 1 }), step(3), step(4), end({ step: 4 })]);
  expect(course.steps.map((s) => s.step)).toEqual([1, 2, 3, 4]);
  expect(course.steps[2]?.loss).toBe(step(3).loss);
  expect(course.evals.map((e) => e.step)).toEqual([2]);
  expect(course.samples).toEqual([]);
  expect(course.steps.map((s) => s.seconds)).toEqual(
    [0.08, 0.16, 0.4, 0.48].map((x) => expect.closeTo(x, 10)),
  );
  expect([course.first.step, course.start.step, course.ends.length]).toEqual([0, 2, 2]);
});
