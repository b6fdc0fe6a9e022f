/** An OCI image layout (image-spec 1.1) with one index over all architectures. */
import type { ProductIdentity } from '../build/product.ts';
import { fileWith } from './archive.ts';
import type { FileEntry, FileTree } from './archive.ts';
import { digestOf } from './digest.ts';
import type { Digest } from './digest.ts';
import type { Layer } from './layer.ts';
import { NODE_FLAGS } from './node-flags.ts';

export interface PlatformImage {
  readonly architecture: string;
  /** From the lowest to the topmost. */
  readonly layers: readonly Layer[];
}

export interface ImageIdentity {
  readonly product: ProductIdentity;
  /** The time that the image says it was made at. */
  readonly epoch: Date;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** As deploy/operator.yaml runs it; the same as in deploy/Dockerfile. */
const RUN = {
  User: '65532:65532',
  WorkingDir: '/app',
  Env: ['PATH=/usr/local/bin', 'NODE_ENV=production', 'NODE_OPTIONS=--disallow-code-generation-from-strings'],
  ExposedPorts: { '8383/tcp': {} },
  Entrypoint: ['/usr/local/bin/node', ...NODE_FLAGS, '/app/main.mjs'],
  Cmd: ['run'],
} as const;

export interface Layout {
  /** Paths relative to the layout's folder. */
  readonly files: FileTree;
  /** The image's name: what a registry would know it by. */
  readonly digest: Digest;
}

/** Puts the images of all architectures into one layout, which holds one image by the product's name and version. */
export function layoutOf(images: readonly PlatformImage[], identity: ImageIdentity): Layout {
  const blobs = new BlobStore();
  const manifests = images.map((image) => manifestOf(blobs, image, identity));
  const { name, version } = identity.product;
  const annotations = labelsOf(identity);
  const index = blobs.addJson(MEDIA.index, { ...oci(MEDIA.index), manifests, annotations });
  const reference = {
    'org.opencontainers.image.ref.name': version,
    'io.containerd.image.name': `${name}:${version}`,
  };
  const entry = { ...index, annotations: reference };
  return {
    digest: index.digest,
    files: new Map([
      ['oci-layout', fileWith(JSON.stringify({ imageLayoutVersion: '1.0.0' }))],
      ['index.json', fileWith(JSON.stringify({ ...oci(MEDIA.index), manifests: [entry] }))],
      ...blobs.files(),
    ]),
  };
}

function manifestOf(blobs: BlobStore, image: PlatformImage, identity: ImageIdentity): object {
  const platform = { architecture: image.architecture, os: 'linux' };
  const created = identity.epoch.toISOString();
  const config = blobs.addJson(MEDIA.config, {
    created,
    ...platform,
    config: { ...RUN, Labels: labelsOf(identity) },
    rootfs: { type: 'layers', diff_ids: image.layers.map(({ diffId }) => diffId) },
    history: image.layers.map(({ purpose }) => ({ created, created_by: purpose })),
  });
  const layers = image.layers.map(({ blob }) => blobs.add(MEDIA.layer, blob));
  const manifest = blobs.addJson(MEDIA.manifest, { ...oci(MEDIA.manifest), config, layers });
  return { ...manifest, platform };
}

function labelsOf({ product, epoch }: ImageIdentity): Readonly<Record<string, string>> {
  const labels = {
    title: product.name,
    version: product.version,
    description: product.description,
    licenses: product.licence,
    created: epoch.toISOString(),
  };
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
  );
}

function oci(mediaType: string): object {
  return { schemaVersion: 2, mediaType };
}

class BlobStore {
  readonly #blobs = new Map<Digest, Buffer>();

  add(mediaType: string, content: Buffer): Descriptor {
    const digest = digestOf(content);
    this.#blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  }

  addJson(mediaType: string, value: object): Descriptor {
    return this.add(mediaType, Buffer.from(JSON.stringify(value)));
  }

  files(): readonly (readonly [string, FileEntry])[] {
    return [...this.#blobs].map(([digest, content]) => [
      `blobs/${digest.replace(':', '/')}`,
      fileWith(content),
    ]);
  }
}
