// Long work in steps: between two steps it can report progress, let other work run, or stop.

/** Progress of long work. */
export interface WorkProgress {
  /** Name of the work: count, train tokenizer, encode. */
  readonly task: string;
  readonly done: number;
  /** 0 if it is unknown. */
  readonly total: number;
}

/** Long work: yields its progress every few milliseconds, and returns its result. */
export type Steps<T> = Generator<WorkProgress, T, void>;

/** Called between steps: a promise pauses the work, an exception stops it. */
export type Pace = (progress: WorkProgress) => Promise<void> | undefined;

/** Runs all steps and awaits `pace` between them; resolves to the result. */
export async function runPaced<T>(steps: Steps<T>, pace: Pace = () => undefined): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    const pause = pace(value);
    if (pause) await pause;
  }
}

/** Runs all steps at once; returns the result. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
