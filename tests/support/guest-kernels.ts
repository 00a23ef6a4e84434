// The table of the models of guests whose kernels are checked: a row for each guest.

import type { TokenRules } from '../../src/decode/token-rules.ts';
import type { ModelOptions } from '../../src/model/model-config.ts';
import type { SourceKind } from '../../src/model/source-kind.ts';
import { speechKernels } from '../features/speech/speech-kernels.ts';

/** Models of a guest with all of its kernels. */
export interface GuestKernels {
  readonly options: readonly ModelOptions[];
  readonly sourceKind: SourceKind;
  readonly tokenRules: TokenRules;
}

/** All guests. */
export const guestKernels: readonly GuestKernels[] = [speechKernels];
