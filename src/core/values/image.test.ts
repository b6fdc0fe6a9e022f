import { expect } from 'chai';
import { imageReference } from './image.ts';

describe('imageReference', () => {
  it('joins hub, image and tag', () => {
    expect(imageReference({ hub: 'h', image: 'pilot', tag: '1.30.3', variant: null })).to.equal(
      'h/pilot:1.30.3',
    );
  });

  it('appends the variant', () => {
    expect(imageReference({ hub: 'h', image: 'pilot', tag: 1.3, variant: 'debug' })).to.equal(
      'h/pilot:1.3-debug',
    );
  });

  it('takes an image with a slash for complete', () => {
    const images = ['a/b', 'a/b:1', 'a/b@sha256:0'];

    expect(images.map((image) => imageReference({ hub: 'h', image, tag: 't', variant: 'v' }))).to.deep.equal(
      images,
    );
  });
});
