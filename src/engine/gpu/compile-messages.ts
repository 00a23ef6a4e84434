// Messages of the WGSL compiler with line numbers, for editors.

/** A message of the compiler. */
export interface CompileMessage {
  readonly type: 'error' | 'warning' | 'info';
  /** Line and column from 1; 0 if the message is about the whole source. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** Compiles WGSL; returns the messages of the compiler. They contain an error if it does not compile. */
export async function compileMessages(gpu: GPUDevice, code: string): Promise<CompileMessage[]> {
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ label: 'editor', code });
  const failure = gpu.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  const compiled = messages.map(
    ({ type, lineNum, linePos, message }): CompileMessage => ({
      type,
      line: lineNum,
      column: linePos,
      text: message.trim(),
    }),
  );
  const error = await failure;
  // Firefox may report an error without a line.
  if (error && !compiled.some(({ type }) => type === 'error'))
    compiled.push({ type: 'error', line: lineIn(error.message), column: 0, text: error.message });
  return compiled;
}

/** The line that an error text names, as `wgsl:12:5`; 0 if it names none. */
const lineIn = (text: string): number => Number(/wgsl:(\d+)/.exec(text)?.[1] ?? 0);
