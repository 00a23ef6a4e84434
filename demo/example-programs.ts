// The examples of the page Code: the one of README.md, then those of docs/examples.md with their headings.

/** An example. */
export interface ExampleProgram {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly code: string;
}

/** The examples in the text of README.md and that of the guide. */
export function examplePrograms(readme: string, guide: string): ExampleProgram[] {
  const first = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const found = [...guide.matchAll(/^## (.+)\n\n([^`#]*(?:`[^`\n]+`[^`#]*)*)```ts\n([\s\S]*?)```/gm)];
  const examples = [
    {
      title: 'Train a translator',
      text: 'The example of the README, on the built-in corpus.',
      code: first,
    },
    ...found.map(([, title = '', text = '', code = '']) => ({
      title,
      text: text.replaceAll('`', '').trim(),
      code,
    })),
  ];
  return examples.map((example) => ({ id: example.title.toLowerCase().replaceAll(/\W+/g, '-'), ...example }));
}
