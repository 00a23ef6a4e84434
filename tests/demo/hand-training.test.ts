// The training by hand of the page Learn: gradients against finite differences, AdamW by its formula, warm-up.

import { describe, expect, it } from 'vitest';
import { HandTraining } from '../../demo/toys/hand-training.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { errorAbout } from '../support/expect-error.ts';

registerHost(nodeHost());

const pair = { source: 'Tuesday, March 4, 2025', target: 'martes, 4 de marzo de 2025' };
const open = async () =>
  HandTraining.open(
    await loadModel(new URL('../../demo/models/en-es.safetensors', import.meta.url).pathname, {
      device: 'cpu',
    }),
    pair,
  );

describe('a training by hand', () => {
  it('has in any matrix the gradient of finite differences, and updates by AdamW', async () => {
    const training = await open();
    expect(training.now.likeliest.at(-1)).toBe('[end]');
    const places = [0, 3, 7, training.matrices.length - 1].map(
      (i) => training.matrices[i] as { name: string },
    );
    const moments = new Map<string, [number, number]>();
    for (const [t, { name }] of [...places, ...places].entries()) {
      const { optimizer, gradient, difference, weight, ...update } = training.update(
        { name, row: 5, column: 3 },
        1e-4,
      );
      expect(update.step).toBe(t + 1);
      expect(Math.abs(gradient - difference)).toBeLessThan(1e-6 + 1e-5 * Math.abs(gradient));
      const { beta1, beta2, eps } = optimizer;
      const [m, v] = update.moments;
      if (t === 0) {
        expect(m).toBeCloseTo((1 - beta1) * gradient, 12);
        expect(v).toBeCloseTo((1 - beta2) * gradient ** 2, 12);
      }
      const corrected = [m / (1 - beta1 ** update.step), v / (1 - beta2 ** update.step)] as const;
      const moved = (update.learningRate * corrected[0]) / (Math.sqrt(corrected[1]) + eps);
      expect(weight[1]).toBeCloseTo(weight[0] - moved, 10);
      moments.set(name, [m, v]);
    }
    expect(moments.size).toBeGreaterThan(1);
  });

  it('lowers the loss at a fitting rate, warms up, and raises it at a high rate', async () => {
    const training = await open();
    const place = { name: training.matrices[0]?.name ?? '', row: 1, column: 1 };
    const rates = Array.from({ length: 5 }, () => training.update(place, 3e-4, 4));
    expect(rates.map(({ learningRate }) => learningRate / 3e-4)).toEqual(
      [0.25, 0.5, 0.75, 1, 1].map((x) => expect.closeTo(x, 5)),
    );
    expect(rates.at(-1)?.after.loss).toBeLessThan(rates[0]?.before.loss ?? 0);
    const wrong = training.update(place, 0.3);
    expect(wrong.after.loss).toBeGreaterThan(3);
    expect(wrong.after.hits).toBeLessThan(wrong.after.tokens / 2);
    expect(() => training.update({ ...place, row: 1e6 }, 1e-3)).toThrow(
      errorAbout({ area: 'train', values: [1000000, 1] }),
    );
  });

  it('refuses an empty pair', async () => {
    const model = await loadModel(new URL('../../demo/models/en-es.safetensors', import.meta.url).pathname, {
      device: 'cpu',
    });
    await expect(HandTraining.open(model, { source: 'Tuesday', target: '' })).rejects.toThrow(
      errorAbout({ area: 'train' }),
    );
  });
});
