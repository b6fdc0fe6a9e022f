import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CommandError } from './cli/command-error.ts';
import { mountedProfiles } from './mounted-profiles.ts';

const PROFILE = 'kind: IstioOperator\nspec: { values: { global: { logAsJson: true } } }\n';

describe('mountedProfiles', () => {
  let base: string;
  let root: string;

  beforeEach(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'profiles-')));
    root = join(base, 'root');
    await mkdir(join(root, 'team', 'profiles'), { recursive: true });
    await writeFile(join(root, 'team', 'profiles', 'corp.yaml'), PROFILE);
  });

  afterEach(async () => rm(base, { recursive: true }));

  async function rejection(): Promise<string> {
    const error: unknown = await mountedProfiles(root).catch((reason: unknown) => reason);
    return error instanceof CommandError ? error.message : String(error);
  }

  it('finds a folder below the root by any spelling of its path, and a profile by that of its file', async () => {
    const find = await mountedProfiles(`${root}/`);

    const spellings = ['/team', '/team/', '//team', '/x/../team'].map((path) => root + path);
    for (const folder of spellings)
      expect([...(find({ folder, profile: 'corp' }) ?? []).keys()]).to.deep.equal(['corp']);
    const file = join(root, 'team/profiles/corp.yaml');
    expect(find({ profile: file })?.get(file)).to.nested.include({ 'layer.source': file });
  });

  it('finds nothing elsewhere, whatever is there', async () => {
    await mkdir(join(base, 'other', 'profiles'), { recursive: true });
    await writeFile(join(base, 'other', 'profiles', 'corp.yaml'), PROFILE);
    const find = await mountedProfiles(root);

    for (const path of [join(base, 'other'), `${root}/../other`, 'team', ''])
      expect(find({ folder: path, profile: 'corp' }), path).to.equal(undefined);
    expect(find({ profile: `${root}/../other/profiles/corp.yaml` })).to.equal(undefined);
  });

  it('follows the links by which the kubelet mounts a ConfigMap', async () => {
    const mount = join(root, 'mounted');
    await mkdir(join(mount, '..2026_11_21', 'profiles'), { recursive: true });
    await writeFile(join(mount, '..2026_11_21', 'profiles', 'edge.yaml'), PROFILE);
    await symlink('..2026_11_21', join(mount, '..data'));
    await symlink('..data/profiles', join(mount, 'profiles'));

    const find = await mountedProfiles(root);

    expect([...(find({ folder: mount, profile: 'edge' }) ?? []).keys()]).to.deep.equal(['edge']);
  });

  it('refuses links that lead out of the root, and ends where links go in circles', async () => {
    await symlink(root, join(root, 'round'));
    await mountedProfiles(root);
    await writeFile(join(base, 'secret'), 'password');
    await symlink(join(base, 'secret'), join(root, 'team', 'profiles', 'secret.yaml'));

    expect(await rejection()).to.match(/^IOP636 .*secret\.yaml is a link that leads out of the folder/u);
  });

  it('says when the root cannot be read', async () => {
    root = join(base, 'nowhere');

    expect(await rejection()).to.match(/^IOP636 .*nowhere cannot be read: ENOENT.*--profiles-dir/u);
  });

  it('finds nothing without a root', async () => {
    const find = await mountedProfiles(undefined);

    expect(find({ folder: root, profile: 'default' })).to.equal(undefined);
  });
});
