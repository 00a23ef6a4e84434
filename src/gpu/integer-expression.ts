// Integer arithmetic in text: sizes in WGSL consts, and grids of workgroups that follow the sizes of a kernel.

/**
 * The value of an expression of u32 numbers, names, + - * / (rounded down) and parentheses; NaN for any other.
 *
 * @example
 * evaluate('(N + 15) / 16', new Map([['N', 100]])); // 7
 */
export function evaluate(expression: string, names: ReadonlyMap<string, number>): number {
  const tokens = expression.match(/\w+|[()+*/-]/g) ?? [];
  let at = 0;
  const sum = (): number => {
    let x = product();
    while (tokens[at] === '+' || tokens[at] === '-') x = tokens[at++] === '+' ? x + product() : x - product();
    return x;
  };
  const product = (): number => {
    let x = atom();
    while (tokens[at] === '*' || tokens[at] === '/') x = tokens[at++] === '*' ? x * atom() : Math.floor(x / atom());
    return x;
  };
  const atom = (): number => {
    const token = tokens[at++] ?? '';
    if (token === '(') {
      const x = sum();
      at++;
      return x;
    }
    return /^\d+u?$/.test(token) ? Number.parseInt(token, 10) : (names.get(token) ?? Number.NaN);
  };
  const value = sum();
  return at < tokens.length || /[^\w\s()+*/-]/.test(expression) ? Number.NaN : value;
}
