// heddle completion: the scripts are those of the table of commands, and a shell completes with them.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { heddle } from '../support/cli.ts';

const script = async (shell: string) => (await heddle(['completion', shell])).stdout;
const bash = spawnSync('bash', ['-c', 'echo $BASH_VERSION']);

/** What bash completes for words. */
const completes = (code: string, ...words: string[]): string[] =>
  spawnSync(
    'bash',
    [
      '-c',
      `${code}\nCOMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _heddle; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      ...words,
    ],
    { encoding: 'utf8' },
  )
    .stdout.trim()
    .split('\n');

describe('heddle completion', () => {
  it.skipIf(bash.status !== 0)('completes commands, flags and their values in bash', async () => {
    const code = await script('bash');
    expect(completes(code, 'heddle', 'tra')).toEqual(['train', 'translate', 'transcribe']);
    expect(completes(code, 'heddle', 'translate', '--beam')).toEqual(['--beams']);
    expect(completes(code, 'heddle', 'translate', '--host', 'd')).toEqual(['dawn', 'deno']);
    // Modes are flags of their command; older names are not listed.
    expect(completes(code, 'heddle', 'plan', '--ti')).toEqual(['--time']);
    expect(code).not.toMatch(/--beam-size|--lora-adapter/);
  });

  it.each(['zsh', 'fish'])('has the commands and flags for %s', async (shell) => {
    const code = await script(shell);
    expect(code).toMatch(/transcribe/);
    expect(code).toMatch(shell === 'fish' ? / -l long-texts / : /--long-texts/);
    const found = spawnSync(shell, [shell === 'fish' ? '--no-execute' : '-n'], {
      input: code,
      encoding: 'utf8',
    });
    if (!found.error) expect(found.stderr).toBe('');
  });

  it('names the shells', async () =>
    expect((await heddle(['completion', 'powershell'])).stderr).toMatch(/bash, zsh, fish/));
});
