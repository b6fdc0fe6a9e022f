/** Software bills of materials in CycloneDX. The same parts give the same text: no time and no random number is in it. */
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';

export interface Part {
  /** Which registry the part is from: the type of its package URL. */
  readonly source: 'npm' | 'deb';
  readonly name: string;
  readonly version: string;
  /** An SPDX expression, where the part states one. */
  readonly licence?: string;
  /** What further tells it apart in its registry, such as the architecture. */
  readonly qualifiers?: Readonly<Record<string, string>>;
}

export interface Product {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly kind: 'application' | 'container';
}

const KINDS = {
  application: Enums.ComponentType.Application,
  container: Enums.ComponentType.Container,
} as const;

/** The bill as JSON (CycloneDX 1.6). Parts that are given twice are listed once. */
export function billOfMaterials(product: Product, parts: readonly Part[]): string {
  const component = new Models.Component(KINDS[product.kind], product.name, {
    version: product.version,
    bomRef: `${product.name}@${product.version}`,
  });
  component.licenses.add(new Models.LicenseExpression(product.licence));
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component }) });
  const unique = new Map(parts.map((part) => [packageUrl(part), part]));
  for (const [purl, part] of unique) {
    const library = libraryOf(part, purl);
    bom.components.add(library);
    component.dependencies.add(library.bomRef);
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function libraryOf({ name, version, licence }: Part, purl: string): Models.Component {
  const [group, local] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const library = new Models.Component(Enums.ComponentType.Library, local ?? name, {
    version,
    purl,
    bomRef: purl,
    ...(group === undefined ? {} : { group }),
  });
  if (licence !== undefined) library.licenses.add(new Models.LicenseExpression(licence));
  return library;
}

/** A package URL: `pkg:npm/%40scope/name@1.2.3`, `pkg:deb/debian/libc6@2.36-9?arch=amd64`. */
function packageUrl({ source, name, version, qualifiers = {} }: Part): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const place = source === 'deb' ? `debian/${path}` : path;
  const query = new URLSearchParams(qualifiers).toString();
  return `pkg:${source}/${place}@${encodeURIComponent(version)}${query && `?${query}`}`;
}
