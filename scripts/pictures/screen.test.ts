import { expect } from 'chai';
import { pictureOf } from './screen-picture.ts';
import { screenAfter } from './screen.ts';

const PLAIN = { isBold: false, isDim: false };

describe('screenAfter', () => {
  it('keeps words of one style together, and where a column begins', async () => {
    expect(await screenAfter('NAME  some words\n', 40)).to.deep.equal([
      [
        { column: 0, text: 'NAME', style: PLAIN },
        { column: 6, text: 'some words', style: PLAIN },
      ],
    ]);
  });

  it('knows colours and bold type', async () => {
    const [line] = await screenAfter('\u001b[1;32mok\u001b[0m done', 40);

    expect(line).to.deep.equal([
      { column: 0, text: 'ok', style: { colour: '#3fb950', isBold: true, isDim: false } },
      { column: 3, text: 'done', style: PLAIN },
    ]);
  });

  it('shows the last state of a line that was written again', async () => {
    const [line] = await screenAfter('waiting\r\u001b[Kready\n', 40);

    expect(line?.map(({ text }) => text)).to.deep.equal(['ready']);
  });
});

describe('pictureOf', () => {
  it('shows text as it is, whatever it means in SVG', async () => {
    const screen = await screenAfter('<script>&\n', 40);

    const picture = pictureOf(screen, 40, { title: 'a title', command: 'a command' });

    expect(picture).to.include('&lt;script&gt;&amp;</text>').and.not.include('<script>');
  });
});
