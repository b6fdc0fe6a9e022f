import { expect } from 'chai';
import { printDiagnostic } from '../model/diagnostic.ts';
import { checkKubernetes } from './kubernetes-range.ts';
import { releaseOfLine } from './releases.ts';

function told(line: string, kubernetesVersion: string): readonly string[] {
  const release = releaseOfLine(line);
  if (release === undefined) throw new Error(`no line ${line}`);
  return checkKubernetes({ kubernetesVersion }, release).map(printDiagnostic);
}

describe('checkKubernetes', () => {
  it('warns of a cluster that is older than the line supports', () => {
    expect(told('1.30', 'v1.31.9-gke.1200')).to.deep.equal([
      'IOP320 spec.tag: the cluster runs Kubernetes v1.31.9-gke.1200, and Istio 1.30 supports 1.32 and newer. Upgrade Kubernetes first, or stay on an older line of Istio.',
    ]);
  });

  it('accepts the oldest one, whatever vendors append, and anything newer', () => {
    const versions = ['v1.32.0', 'v1.32.4+k3s1', 'v1.40.1', 'v2.0.0', 'unknown'];

    expect(versions.flatMap((version) => told('1.30', version))).to.deep.equal([]);
  });
});
