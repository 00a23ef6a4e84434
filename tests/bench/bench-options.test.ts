// Options of the benchmark against the peers: errors before an installation or a run, and which results are
// stored.
import { describe, expect, it, vi } from 'vitest';
import { readOptions, reasonNotStored } from '../../bench/peers/bench-options.ts';
import { main } from '../../bench/peers/bench-runner.ts';
import { type ExpectedError, errorAbout } from '../support/expect-error.ts';

const read = (...args: string[]) => readOptions(args, ['small', 'odd-post', 'options-pre']);

describe('options of the benchmark', () => {
  it.each<[string[], ExpectedError]>([
    [['--frames', '3'], { values: [expect.stringContaining('--frames')] }],
    [['--steps', 'abc'], { area: '--steps abc' }],
    [['--steps', '0'], { area: '--steps 0' }],
    [['--warmups', 'x'], { area: '--warmups x' }],
    [['--tune-ms', 'x'], { area: '--tune-ms x' }],
    [['--max-seconds', ''], { area: '--max-seconds ' }],
    [['--host', ''], { area: '--host' }],
    [['--host', 'safari'], { area: '--host safari' }],
    [['--contestants', 'heddle,foo'], { area: '--contestants foo' }],
    [['--cases', 'huge'], { area: '--cases huge' }],
    [['--check', 'huge'], { area: '--check huge' }],
    [['--no-fuse', 'bogus'], { values: ['bogus', 'residual-norm'] }],
    [['--only', 'softmax'], { area: '--only softmax' }],
    [['--kernels', '--only', 'sorting'], { area: '--only sorting' }],
    [['--set', 'tfjs'], { area: '--set tfjs' }],
    [['--set', 'nobody.x=1'], { area: '--set nobody.x=1' }],
    [['--set', 'heddle.x=1'], { area: '--set heddle.x=1' }],
    [['--set', 'tfjs.foo=1'], { area: '--set tfjs.foo=1' }],
    [['--set', 'tfjs.optimizer=fast'], { area: '--set tfjs.optimizer=fast' }],
    [['--set', 'tfjs.submitBatch=x'], { area: '--set tfjs.submitBatch=x' }],
    [['--endure', 'small', '--steps', '199'], { area: '--steps 199' }],
  ])('throw an error that names the option: %j', (args, expected) => {
    expect(() => read(...args)).toThrow(errorAbout(expected));
  });

  it('default to 7 steps for a case and 2,000 for an endurance test', () => {
    const { rounds, enduranceSteps } = read('--cases', 'small', '--endure', 'small');
    expect([rounds.steps, enduranceSteps]).toEqual([7, 2000]);
    expect(read('--endure', 'small', '--steps', '300').enduranceSteps).toBe(300);
  });

  it('default to the preset small, unless other work is requested', () => {
    const { check, cases } = read();
    expect({ check, cases }).toEqual({ check: ['odd-post', 'options-pre'], cases: ['small'] });
    expect(read('--kernels').cases).toEqual([]);
    expect(read('--cases', 'none').cases).toEqual([]);
  });

  it('are parsed by peer and key, numbers as numbers', () => {
    expect(
      read('--set', 'tfjs.optimizer=flat', '--set', 'tfjs.submitBatch=5', '--set', 'jax.qkv=apart').set,
    ).toEqual({
      tfjs: { optimizer: 'flat', submitBatch: 5 },
      jax: { qkv: 'apart' },
    });
  });

  it('are checked before the peers are installed', async () => {
    const prepare = vi.fn(async () => {});
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const helped = vi.spyOn(console, 'log').mockImplementation(() => {});
    try {
      expect(await main(['--host', 'safari'], prepare)).toBe(2);
      expect(printed.mock.calls).toEqual([['--host safari: it must be one or more of dawn,chrome.']]);
      expect(await main(['--help'], prepare)).toBe(0);
      expect(helped.mock.calls[0]?.[0]).toContain('--contestants');
      expect(prepare).not.toHaveBeenCalled();
    } finally {
      printed.mockRestore();
      helped.mockRestore();
    }
  });
});

describe('a result', () => {
  const reasonFor = (what: Parameters<typeof reasonNotStored>[1], ...args: string[]) =>
    reasonNotStored(read(...args), what);

  it('is stored if it is complete, also with only one peer', () => {
    expect(reasonFor('steps')).toBeUndefined();
    expect(reasonFor('kernels')).toBeUndefined();
    expect(reasonFor('endurance')).toBeUndefined();
    expect(reasonFor('steps', '--contestants', 'jax,heddle', '--steps', '3')).toBeUndefined();
    expect(reasonFor('steps', '--kernels', '--only', 'softmax')).toBeUndefined();
    expect(reasonFor('endurance', '--contestants', 'tfjs')).toBeUndefined();
  });

  it('is only printed if it is incomplete', () => {
    expect(reasonFor('kernels', '--kernels', '--only', 'softmax')).toMatch(/--only/);
    expect(reasonFor('steps', '--no-fuse', 'residual-norm')).toMatch(/--no-fuse/);
    expect(reasonFor('steps', '--set', 'jax.qkv=apart')).toMatch(/--set/);
    expect(reasonFor('steps', '--contestants', 'heddle')).toMatch(/compare heddle with a peer/);
    expect(reasonFor('kernels', '--contestants', 'tfjs,jax')).toMatch(/compare heddle with a peer/);
    expect(reasonFor('steps', '--steps', '2')).toMatch(/3 rounds/);
    expect(reasonFor('steps', '--warm-cache')).toMatch(/--warm-cache/);
    expect(reasonFor('endurance', '--endure', 'small', '--steps', '300')).toMatch(/2000 steps/);
    expect(reasonFor('profile', '--no-write')).toMatch(/--no-write/);
  });
});
