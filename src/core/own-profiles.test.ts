import { expect } from 'chai';
import { readOwnProfile } from './own-profile-file.ts';
import type { OwnProfiles } from './own-profiles.ts';
import { requestedProfiles } from './own-profiles.ts';
import type { TestPlanner } from './testing/planning.ts';
import { testPlanner } from './testing/planning.ts';

/** Profiles by name; each text is what stands below `spec`. */
function profiles(specs: Readonly<Record<string, string>>): OwnProfiles {
  return new Map(
    Object.entries(specs).map(([name, spec]) => [
      name,
      readOwnProfile(`kind: IstioOperator\nspec:\n  ${spec}\n`, `mesh/profiles/${name}.yaml`),
    ]),
  );
}

describe('own profiles', () => {
  let planner: TestPlanner;
  const folder = { installPackagePath: 'mesh' };
  const NO_PILOT = 'components: { pilot: { enabled: false } }';

  before(async () => {
    planner = await testPlanner();
  });

  it('lie over the built-in default and below what the user says', () => {
    const ownProfiles = profiles({
      corp: 'values: { global: { logging: { level: "a:info" }, proxy: { logLevel: debug } } }',
    });
    const spec = { ...folder, profile: 'corp', values: { global: { proxy: { logLevel: 'error' } } } };

    const { profile, spec: merged } = planner.plan(spec, { ownProfiles });

    expect(profile).to.equal('corp');
    expect(merged).to.nested.include({
      'values.global.logging.level': 'a:info',
      'values.global.proxy.logLevel': 'error',
      'values.global.istioNamespace': 'istio-system',
    });
  });

  it('may replace the default profile, which also lies below the others', () => {
    const ownProfiles = profiles({ default: NO_PILOT, corp: 'components: { base: { enabled: false } }' });

    expect(planner.names(folder, { ownProfiles })).to.not.include('Deployment istio-system/istiod');
    expect(planner.names({ ...folder, profile: 'corp' }, { ownProfiles })).to.deep.equal([]);
  });

  it('are found by the path of their file too, also as a flag', () => {
    const ownProfiles = profiles({ './corp.yaml': NO_PILOT });

    const names = planner.names({}, { sets: ['profile=./corp.yaml'], ownProfiles });

    expect(names).to.not.include('Deployment istio-system/istiod');
  });

  it('are named when the chosen one is not there, and built-in ones are not', () => {
    const ownProfiles = profiles({ corp: NO_PILOT, edge: NO_PILOT });

    expect(planner.findings({ ...folder, profile: 'demo' }, { ownProfiles })).to.deep.equal([
      'IOP203 spec.profile: there is no profile "demo". Use one of corp, default, edge.',
    ]);
  });

  it('are told of with their own file when they are wrong, but only those that are used', () => {
    const ownProfiles = profiles({ corp: 'hbu: x', edge: 'hbu: x', broken: '"' });

    expect(planner.findings({ ...folder, profile: 'corp' }, { ownProfiles })).to.deep.equal([
      'IOP201 mesh/profiles/corp.yaml:3:3 spec.hbu: there is no field "hbu". Did you mean "hub"?',
    ]);
    expect(planner.findings({ ...folder, profile: 'broken' }, { ownProfiles })).to.have.lengthOf(1);
    expect(planner.findings(folder, { ownProfiles })).to.deep.equal([]);
  });

  it('cannot set registry, tag or base, and a warning says so', () => {
    const ownProfiles = profiles({ corp: 'tag: 1.29.6' });

    expect(planner.findings({ ...folder, profile: 'corp' }, { ownProfiles })).to.deep.equal([
      'IOP303 mesh/profiles/corp.yaml:3:3 spec.tag: tag has no effect in a profile. Set it in the resource.',
    ]);
    expect(planner.plan({ ...folder, profile: 'corp' }, { ownProfiles }).version).to.equal('1.30.3');
  });

  it('are an error where nobody reads them', () => {
    for (const spec of [folder, { profile: '/etc/passwd' }, { profile: '../demo' }])
      expect(planner.findings(spec))
        .to.have.lengthOf(1)
        .and.to.satisfy(([found]: string[]) => found?.startsWith('IOP215'));
  });
});

describe('requestedProfiles', () => {
  it('asks for nothing when the built-in profiles are enough', () => {
    expect(requestedProfiles([{ spec: { profile: 'openshift-ambient' } }, { spec: 7 }])).to.equal(undefined);
  });

  it('follows the last file, and flags over files', () => {
    const layers = [
      { spec: { installPackagePath: 'a', profile: 'x' } },
      { spec: { installPackagePath: 'b' } },
    ];

    expect(requestedProfiles(layers)).to.deep.equal({ folder: 'b', profile: 'x' });
    expect(requestedProfiles(layers, ['installPackagePath=c', 'profile=y'])).to.deep.equal({
      folder: 'c',
      profile: 'y',
    });
    expect(requestedProfiles([...layers, { spec: { installPackagePath: null } }])).to.equal(undefined);
  });
});
