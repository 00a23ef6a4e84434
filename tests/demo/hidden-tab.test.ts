// What a training does while its tab is hidden or closed, with a fake session and clock.

import { expect, it } from 'vitest';
import { closingMs, type HiddenChoice, HiddenTab } from '../../demo/train/page/hidden-tab.ts';
import type { SessionState } from '../../demo/train/protocol.ts';

/** A tab with a training in a state. */
function tab(choice: HiddenChoice, state: SessionState = 'training') {
  const calls: string[] = [];
  const said: string[] = [];
  const page: { visibilityState: DocumentVisibilityState } = { visibilityState: 'visible' };
  const time = { now: 0, tick: 0 };
  const call = (name: string) => async (value?: number) => {
    calls.push(value === undefined ? name : `${name} ${value}`);
  };
  const session = {
    pause: call('pause'),
    continue: call('continue'),
    rest: call('rest'),
    saveNow: call('saveNow'),
  };
  const hidden = new HiddenTab({
    session,
    page,
    onStatus: (text) => void said.push(text),
    now: () => {
      time.now += time.tick;
      return time.now;
    },
  });
  hidden.choice = choice;
  const enter = (next: SessionState) =>
    hidden.onEvent({ type: 'state', state: next, model: 'm', step: 1, steps: 9, text: '' });
  enter(state);
  const show = (visibilityState: DocumentVisibilityState) => {
    page.visibilityState = visibilityState;
    hidden.visibilityChanged();
  };
  return { calls, said, time, hidden, enter, show };
}

it('keeps going, and saves a checkpoint', () => {
  const { calls, said, show } = tab('run');
  show('hidden');
  show('visible');
  expect([calls, said]).toEqual([['saveNow'], []]);
});

it('slows down, and trains at full speed again', () => {
  const { calls, said, show, time } = tab('slow');
  show('hidden');
  time.now += 90_000;
  show('visible');
  expect(calls).toEqual(['saveNow', 'rest 3', 'rest 0']);
  expect(said).toEqual([
    'Slowed down to a quarter while this tab is hidden.',
    'Slowed down for 90 s while this tab was hidden.',
  ]);
});

it('pauses, and goes on; a training that the visitor has paused stays paused', () => {
  const { calls, said, show, enter } = tab('pause');
  show('hidden');
  enter('paused');
  show('visible');
  expect(calls).toEqual(['pause', 'continue']);
  expect(said).toEqual(['Paused while this tab is hidden.', 'Paused for 0 s while this tab was hidden.']);
  const other = tab('pause', 'paused');
  other.show('hidden');
  other.show('visible');
  expect(other.calls).toEqual([]);
});

it('pauses a training that begins in a hidden tab, and leaves one that has ended', () => {
  const { calls, show, enter } = tab('pause', 'preparing');
  show('hidden');
  expect(calls).toEqual([]);
  enter('training');
  expect(calls).toEqual(['pause']);
  enter('done');
  show('visible');
  expect(calls).toEqual(['pause']);
});

it('saves a checkpoint when the page is closed, and waits for it at most 200 ms', () => {
  const { calls, hidden, time } = tab('run');
  time.tick = 1;
  hidden.leave();
  expect(calls).toEqual(['saveNow']);
  expect(time.now).toBeGreaterThanOrEqual(closingMs);
  expect(time.now).toBeLessThan(closingMs + 5);
  const idle = tab('run', 'done');
  idle.hidden.leave();
  expect([idle.calls, idle.time.now]).toEqual([[], 0]);
});
