// The clock of a training: time in updates, without pauses, and without time in which the machine slept. Whether a sleep counts for
// performance.now() differs from system to system, so a gap is known by its length alone.

/** A clock that runs from when it was made. */
export interface Clock {
  /** An update has come; gives the seconds so far. */
  step(): number;
  /** Does something while the clock stands still. */
  still(work: () => Promise<void>): Promise<void>;
  /** Seconds so far. */
  readonly seconds: () => number;
}

/** A gap is a wait for one update of at least so many seconds, and so many times the longest of the last updates. */
const leastGap = 20;
const timesLongest = 20;
/** Updates that are remembered; a first update may compile, so that none is judged before there are a few. */
const remembered = 16;
const fewest = 4;

/** Makes a clock; `slept` hears of gaps, in seconds. `now` gives milliseconds. */
export function createClock(slept: (seconds: number) => void, now: () => number = () => performance.now()): Clock {
  let begin = now();
  let last = begin;
  const waits: number[] = [];
  const seconds = () => (now() - begin) / 1000;
  return {
    seconds,
    step() {
      const wait = (now() - last) / 1000;
      const longest = Math.max(...waits);
      if (waits.length >= fewest && wait > Math.max(leastGap, timesLongest * longest)) {
        begin += (wait - longest) * 1000;
        slept(wait);
      } else {
        waits.push(wait);
        if (waits.length > remembered) waits.shift();
      }
      last = now();
      return seconds();
    },
    async still(work) {
      const from = now();
      await work();
      const took = now() - from;
      begin += took;
      last += took;
    },
  };
}
