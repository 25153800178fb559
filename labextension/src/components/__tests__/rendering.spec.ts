import { describe, expect, it } from 'vitest';

import { fenced } from '../rendering';

describe('fenced', () => {
  it('cannot be ended by what is in the code', () => {
    const code = 'print("""```""")\n````\n<script>alert(1)</script>';
    const lines = fenced(code, 'python').split('\n');
    expect(lines[0]).toBe('`````python');
    expect(lines.at(-1)).toBe('`````');
    expect(lines.slice(1, -1).join('\n')).toBe(code);
  });

  it('takes no more than a name for a language', () => {
    expect(fenced('x', 'r"><img src=x>').split('\n')[0]).toBe('```rimgsrcx');
  });
});
