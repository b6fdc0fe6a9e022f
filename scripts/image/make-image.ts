/** Makes the operator's image: from the repository to files, without any container engine. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringAt } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { buildProgram } from '../build/program.ts';
import { productOf } from '../build/product.ts';
import { billOfMaterials } from '../build/sbom.ts';
import type { Part } from '../build/sbom.ts';
import type { Architecture } from './architectures.ts';
import { archiveOf } from './archive.ts';
import { debianPackages } from './debian.ts';
import type { DebianPackage } from './debian.ts';
import type { Digest } from './digest.ts';
import { layerOf } from './layer.ts';
import { layoutOf } from './layout.ts';
import type { Layout, PlatformImage } from './layout.ts';
import { bundleFiles, nodeFiles } from './program-files.ts';
import { rootFiles } from './root-files.ts';

export interface ImageRequest {
  /** The repository. */
  readonly root: string;
  readonly architectures: readonly Architecture[];
  /** A folder that is emptied first. */
  readonly output: string;
  /** Where downloads are kept from one run to the next. */
  readonly cache: string;
  /** The time that the image and all its files carry. */
  readonly epoch: Date;
}

export interface ImageReport {
  readonly digest: Digest;
  /** The image in an archive, as `skopeo copy oci-archive:` and `docker load` take it. */
  readonly archive: string;
  /** The same image as a folder. */
  readonly layout: string;
  /** Its bill of materials (CycloneDX). */
  readonly bill: string;
}

interface Made {
  readonly image: PlatformImage;
  readonly parts: readonly Part[];
}

/** The same sources, packages and epoch give the same digest. Rejects with what to do when a download fails. */
export async function makeImage(request: ImageRequest): Promise<ImageReport> {
  const { root, output, epoch } = request;
  const product = await productOf(root);
  const dist = join(root, 'dist');
  const { parts: bundled } = await buildProgram(root, dist);
  const made: Made[] = [];
  for (const architecture of request.architectures)
    made.push(await imageFor(architecture, { ...request, dist }));
  const images = made.map(({ image }) => image);
  const layout = layoutOf(images, { product, epoch });
  const parts = [...bundled, ...made.flatMap((each) => each.parts)];
  await rm(output, { recursive: true, force: true });
  const stem = join(output, `${product.name}-${product.version}`);
  const report = {
    digest: layout.digest,
    archive: `${stem}.oci.tar`,
    layout: join(output, 'layout'),
    bill: `${stem}.cdx.json`,
  };
  await writeLayout(report.layout, layout);
  await writeFile(report.archive, await archiveOf(layout.files, epoch));
  await writeFile(report.bill, billOfMaterials({ ...product, kind: 'container' }, parts));
  return report;
}

async function imageFor(
  architecture: Architecture,
  { root, dist, cache, epoch }: ImageRequest & { readonly dist: string },
): Promise<Made> {
  const version = await nodeVersion(root, architecture);
  const packages = await debianPackages(architecture, join(cache, 'debian'));
  const node = { version, packages: join(root, 'node_modules'), cache };
  const layers = [
    await layerOf('the C and C++ libraries of Debian', rootFiles(packages, architecture), epoch),
    await layerOf(`Node.js ${version}`, await nodeFiles(architecture, node), epoch),
    await layerOf('the operator', await bundleFiles(dist), epoch),
  ];
  const parts = [nodePart(architecture, version), ...packages.map((part) => debianPart(part, architecture))];
  return { image: { architecture: architecture.name, layers }, parts };
}

async function nodeVersion(root: string, { nodePackage }: Architecture): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as JsonValue;
  const version = stringAt(manifest, 'optionalDependencies', nodePackage);
  if (version === undefined) throw new Error(`package.json names no version of ${nodePackage}`);
  return version;
}

function nodePart({ nodePackage }: Architecture, version: string): Part {
  return { source: 'npm', name: nodePackage, version, licence: 'MIT' };
}

function debianPart({ name, version }: DebianPackage, { name: arch }: Architecture): Part {
  return { source: 'deb', name, version, qualifiers: { arch } };
}

async function writeLayout(folder: string, { files }: Layout): Promise<void> {
  for (const [path, entry] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    if (entry.kind === 'file') await writeFile(join(folder, path), entry.content);
  }
}
