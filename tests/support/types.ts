// Types for tests of types.

/** `true` if two types are equal, else `false`. */
export type Same<A, B> =
  (<T>() => T extends { [K in keyof A]: A[K] } ? 1 : 2) extends <T>() => T extends { [K in keyof B]: B[K] }
    ? 1
    : 2
    ? true
    : false;
