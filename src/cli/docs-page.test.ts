import { expect } from 'chai';
import { Command, Option } from 'commander';
import { docsPage } from './docs-page.ts';

describe('docsPage', () => {
  it('has the help of every command, with what stands after it', () => {
    const child = new Command('list')
      .description('lists things')
      .addOption(new Option('--all', 'all of them'));
    const parent = new Command('thing').description('things').addCommand(child);
    child.addHelpText('after', '\nExit codes: none.');

    const page = docsPage(new Command('tool').addCommand(parent));

    expect(page.match(/^#+ .*/gmu)).to.deep.equal([
      '# Command line',
      '## tool',
      '## thing',
      '### thing list',
    ]);
    expect(page).to.match(
      /Usage: tool thing list \[options\]\n\nlists things\n\nOptions:\n {2}--all +all of them/u,
    );
    expect(page).to.include('\nExit codes: none.\n```\n');
  });
});
