import { Argument, Command, Option } from 'commander';
import { expect } from 'chai';
import { complete } from './completion.ts';

function program(): Command {
  const dump = new Command('dump')
    .description('print it')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['yaml', 'json']))
    .addOption(new Option('-f, --filename <file>', 'a file'));
  return new Command('program')
    .helpCommand(false)
    .helpOption(false)
    .addCommand(
      new Command('profile').description('look').addCommand(dump.helpOption(false)).helpCommand(false),
    )
    .addCommand(new Command('secret'), { hidden: true });
}

describe('completion', () => {
  it('offers commands with their descriptions, and no hidden ones', () => {
    expect(complete(program(), [''])).to.equal('profile\tlook\n:4\n');
  });

  it('offers flags that begin like the word', () => {
    expect(complete(program(), ['profile', 'dump', '--f'])).to.equal('--filename\ta file\n:4\n');
  });

  it('offers the choices of a flag, beside it and behind an equals sign', () => {
    expect(complete(program(), ['profile', 'dump', '-o', ''])).to.equal('yaml\t\njson\t\n:4\n');
    expect(complete(program(), ['profile', 'dump', '--output=j'])).to.equal('--output=json\t\n:4\n');
  });

  it('offers the choices of an argument', () => {
    const shells = new Command('program').addArgument(new Argument('<shell>').choices(['bash', 'zsh']));

    expect(complete(shells, ['z'])).to.equal('zsh\t\n:4\n');
  });

  it('offers files after a flag that takes any text', () => {
    expect(complete(program(), ['profile', 'dump', '-f', ''])).to.equal(':0\n');
  });

  it('offers nothing where nothing fits', () => {
    expect(complete(program(), ['x'])).to.equal(':4\n');
  });
});
