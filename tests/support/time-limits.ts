// The time limits of tests. They end a test that hangs; speed is measured elsewhere. A machine with other work on all
// cores takes ten times as long and passes. A test that a software adapter keeps busy for longer has its own limit.

/** Milliseconds of a test, of a hook and of a process that a test starts. */
export const testLimit = 600_000;

/** Milliseconds of a wait within a test: half of the test's, so that the failure names what was waited for. */
export const waitLimit = testLimit / 2;
