import { expect } from 'chai';
import { coloured } from './coloured-patch.ts';

const terminal = {
  print: (): void => undefined,
  say: (): void => undefined,
  style: (_style: string, text: string): string => text,
  styleData: (style: string, text: string): string => `<${style}>${text}`,
  isInteractive: false,
};

describe('coloured', () => {
  it('styles what is added, removed and named, and leaves the rest alone', () => {
    const patch = '--- live\n+++ wanted\n@@ -1 +1 @@\n same\n-old\n+new\n';

    expect(coloured(terminal, patch)).to.equal(
      '<bold>--- live\n<bold>+++ wanted\n<dim>@@ -1 +1 @@\n same\n<red>-old\n<green>+new\n',
    );
  });
});
