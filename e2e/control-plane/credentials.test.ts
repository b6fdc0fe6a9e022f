import { createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import {
  generateTokens,
  kubeconfigPathOf,
  writeKubeconfigs,
  writeServiceAccountKey,
  writeTokenFile,
} from './credentials.ts';
import { useTemporaryFolder } from './test-support.ts';

describe('credentials', () => {
  const folder = useTemporaryFolder();
  const address = { server: 'https://127.0.0.1:20001', certificateAuthority: 'PEM' };

  it('have a secret of 256 bits for each user, never the same', () => {
    const tokens = [...Object.values(generateTokens()), ...Object.values(generateTokens())];

    expect(new Set(tokens).size).to.equal(tokens.length);
    expect(tokens.every((token) => Buffer.from(token, 'base64url').length === 32)).to.equal(true);
  });

  it('tell the API server the name and groups behind each token', () => {
    const path = join(folder(), 'tokens.csv');
    const tokens = { admin: 'a', 'kube-controller-manager': 'b', 'kube-scheduler': 'c', kwok: 'd' };

    writeTokenFile(path, tokens);

    expect(readFileSync(path, 'utf8').split('\n')).to.deep.equal([
      'a,admin,admin,"system:masters"',
      'b,system:kube-controller-manager,kube-controller-manager,""',
      'c,system:kube-scheduler,kube-scheduler,""',
      'd,kwok,kwok,"system:masters"',
      '',
    ]);
  });

  it('make a kubeconfig that needs no other file', () => {
    writeKubeconfigs(folder(), address, generateTokens());

    const kubeconfig: unknown = parse(readFileSync(kubeconfigPathOf(folder(), 'admin'), 'utf8'));

    expect(kubeconfig).to.have.nested.property('clusters[0].cluster.server', address.server);
    expect(kubeconfig).to.have.nested.property('clusters[0].cluster.certificate-authority-data', 'UEVN');
    expect(kubeconfig).to.have.nested.property('users[0].user.token').that.has.length(43);
  });

  it('are readable for nobody else', () => {
    const paths = ['tokens.csv', 'key'].map((name) => join(folder(), name));
    writeTokenFile(join(folder(), 'tokens.csv'), generateTokens());
    writeServiceAccountKey(join(folder(), 'key'));
    writeKubeconfigs(folder(), address, generateTokens());

    const modes = [...paths, kubeconfigPathOf(folder(), 'kwok')].map((path) => statSync(path).mode & 0o777);

    expect(modes).to.deep.equal([0o600, 0o600, 0o600]);
    expect(createPrivateKey(readFileSync(join(folder(), 'key'))).asymmetricKeyType).to.equal('ec');
  });
});
