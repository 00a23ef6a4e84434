// The screen stays on while a phone trains, with a fake lock.

import { expect, it } from 'vitest';
import { ScreenLock } from '../../demo/train/page/screen-lock.ts';
import type { SessionState } from '../../demo/train/protocol.ts';

/** A page with a lock that tells its calls. */
function lockedPage({ isPhone = true, refuses = false } = {}) {
  const calls: string[] = [];
  const page: { visibilityState: DocumentVisibilityState } = { visibilityState: 'visible' };
  let held: { released: boolean } | undefined;
  const wakeLock = {
    async request(type?: string) {
      calls.push(`request ${type}`);
      if (refuses) throw new DOMException('low battery', 'NotAllowedError');
      const lock = {
        released: false,
        async release() {
          calls.push('release');
          lock.released = true;
        },
      };
      held = lock;
      return lock as unknown as WakeLockSentinel;
    },
  };
  const lock = new ScreenLock({ wakeLock, page, isPhone });
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  return {
    calls,
    async enter(state: SessionState) {
      lock.onEvent({ type: 'state', state, model: 'm', step: 1, steps: 9, text: '' });
      await settled();
    },
    async show(visibilityState: DocumentVisibilityState) {
      page.visibilityState = visibilityState;
      if (visibilityState === 'hidden' && held) held.released = true; // the browser does so
      lock.visibilityChanged();
      await settled();
    },
  };
}

it('holds the lock while it trains, and again when the tab is shown', async () => {
  const { calls, enter, show } = lockedPage();
  await enter('idle');
  expect(calls).toEqual([]);
  for (const state of ['preparing', 'training', 'training'] as const) await enter(state);
  expect(calls).toEqual(['request screen']);
  await show('hidden');
  expect(calls).toEqual(['request screen']);
  await show('visible');
  expect(calls).toEqual(['request screen', 'request screen']);
  await enter('done');
  expect(calls).toEqual(['request screen', 'request screen', 'release']);
  await show('visible');
  expect(calls).toHaveLength(3);
});

it('holds none while it is paused, on other devices, or if it is refused', async () => {
  const { calls, enter } = lockedPage();
  await enter('training');
  await enter('paused');
  expect(calls).toEqual(['request screen', 'release']);
  const desktop = lockedPage({ isPhone: false });
  await desktop.enter('training');
  expect(desktop.calls).toEqual([]);
  const refused = lockedPage({ refuses: true });
  await refused.enter('training');
  await refused.enter('done');
  expect(refused.calls).toEqual(['request screen']);
});
