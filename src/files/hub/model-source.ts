// A place of models beside the hub, such as the releases of another project: a row of `Features.sources`.

import type { Files } from '../files.ts';
import type { HttpOptions } from './http.ts';
import type { PulledModel, PullOptions, PullProgress } from './pull-model.ts';

/** What to download. */
export interface SourceRequest extends PullOptions {
  readonly files: Files;
  /** Folder of the model. An existing one is replaced when the download is complete. */
  readonly folder: string;
  readonly http: HttpOptions;
  readonly name: string;
  /** What follows `@` in the name that the caller gave: which version. Default: the released one. */
  readonly version?: string;
  /** Address of the record of the models. Default: that of the source. */
  readonly registry?: string;
  /** Base address of the files. Default: that of the record or of the source. */
  readonly baseUrl?: string;
  onProgress(progress: PullProgress): void;
}

/** A place of models beside the hub. */
export interface ModelSource {
  /** Whether a name is one of this place, and not OWNER/NAME. */
  hasName(name: string): boolean;
  /** Downloads a model. Throws a HeddleError if there is no such model, or a checksum is wrong. */
  pull(request: SourceRequest): Promise<PulledModel>;
}
