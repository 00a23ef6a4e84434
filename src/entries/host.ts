/**
 * The entry 'heddle/host': what a runtime or an application gives the library. Its host, files, folders of models,
 * threads and devices.
 *
 * @module heddle/host
 */

export type { MissingPart } from '../api/is-supported.ts';
export { platformBudget } from '../api/memory-needs.ts';
export { type ModelFacts, packModel } from '../api/model-files.ts';
export type { DownloadOptions } from '../api/remote-models.ts';
export { escapeControls, messageOf } from '../core/errors.ts';
export type { GpuHost } from '../core/host-name.ts';
export {
  type Hole,
  type Message,
  type MessageStyle,
  renderMessage,
  type TypedHole,
} from '../core/message.ts';
export type { OnnxRuntime, OnnxSession, OnnxTensor } from '../features/onnx/engine/onnx-runtime.ts';
export type { BrowserFiles } from '../files/browser-files.ts';
export { appendFile, type Files, openBlob } from '../files/files.ts';
export type { FileSource, FolderSource } from '../files/given-files.ts';
export type { ErrorHints } from '../files/hub/http.ts';
export type { PullProgress } from '../files/hub/pull-model.ts';
export { memoryFiles } from '../files/memory-files.ts';
export { copyFolder } from '../files/owned-folder.ts';
export { unzip, zipParts } from '../files/zip.ts';
export { type Host, type ModelPlace, openBrowserFiles, registerHost } from '../session/host.ts';
export { fewerLaunches } from '../session/launch-code.ts';
export type { SessionOptions } from '../session/session.ts';
export type { DeviceName, GivenDevice } from '../session/session-device.ts';
export type { SessionEvent } from '../session/session-event.ts';
export type { TextThread, TextThreads } from '../text/text-pool.ts';
export { importModel, readModelFacts } from './files-with-features.ts';
