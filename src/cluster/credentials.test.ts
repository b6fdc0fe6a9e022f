import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FakeClock } from '../controller/testing/fake-clock.ts';
import type { Credentials, CredentialSettings } from './credentials.ts';
import { loadCredentials } from './credentials.ts';

interface KubeconfigUser {
  readonly token?: string;
  readonly [field: string]: unknown;
}

describe('loadCredentials', () => {
  let directory: string;
  let clock: FakeClock;
  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  const kubeconfig = (name: string, server: string, user: KubeconfigUser = { token: 't' }): string =>
    file(
      name,
      JSON.stringify({
        clusters: [{ name: `${name}-cluster`, cluster: { server } }],
        users: [{ name: `${name}-user`, user }],
        contexts: [
          { name, context: { cluster: `${name}-cluster`, user: `${name}-user`, namespace: `${name}-ns` } },
        ],
        'current-context': name,
      }),
    );
  const pod = (): Record<string, string> => {
    file('token', 'pod-token\n');
    file('ca.crt', 'pod-ca');
    file('namespace', 'istio-operator');
    return { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  };
  const settings = (given: Partial<CredentialSettings> = {}): CredentialSettings => ({
    env: { HOME: directory },
    clock,
    preferPod: false,
    serviceAccountDir: directory,
    ...given,
  });
  const load = async (given: Partial<CredentialSettings> = {}): Promise<Credentials> => {
    const result = await loadCredentials(settings(given));
    if (result.kind === 'unusable') throw new Error(result.problem.cause);
    return result.credentials;
  };
  const problemOf = async (given: Partial<CredentialSettings> = {}): Promise<string> => {
    const result = await loadCredentials(settings(given));
    return result.kind === 'unusable' ? `${result.problem.cause}. ${result.problem.remedy}` : 'none';
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'credentials-'));
    clock = new FakeClock();
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('takes the service account in a pod', async () => {
    const credentials = await load({ env: pod(), preferPod: true });

    const access = await credentials.access();
    expect([credentials.server, credentials.namespace]).to.deep.equal([
      'https://10.0.0.1:443',
      'istio-operator',
    ]);
    expect(access).to.deep.equal({ headers: { authorization: 'Bearer pod-token' }, tls: { ca: 'pod-ca' } });
  });

  it('puts an IPv6 address of the server into brackets', async () => {
    const credentials = await load({ env: { ...pod(), KUBERNETES_SERVICE_HOST: 'fd00::1' } });

    expect(credentials.server).to.equal('https://[fd00::1]:443');
  });

  it('lets KUBECONFIG lead the command line, but not the operator, out of its pod', async () => {
    const env = { ...pod(), KUBECONFIG: kubeconfig('other', 'https://other:6443') };

    const servers = [await load({ env }), await load({ env, preferPod: true })].map(({ server }) => server);

    expect(servers).to.deep.equal(['https://other:6443', 'https://10.0.0.1:443']);
  });

  it('takes a named kubeconfig before everything else', async () => {
    const path = kubeconfig('named', 'https://named:6443/');

    const credentials = await load({ env: pod(), preferPod: true, kubeconfig: path });

    expect([credentials.server, credentials.namespace]).to.deep.equal(['https://named:6443', 'named-ns']);
  });

  it('takes the context that is named, from any of several files', async () => {
    const KUBECONFIG = [
      join(directory, 'missing'),
      kubeconfig('one', 'https://one'),
      kubeconfig('two', 'https://two'),
    ];
    const env = { KUBECONFIG: KUBECONFIG.join(':') };

    const servers = [await load({ env }), await load({ env, context: 'two' })].map(({ server }) => server);

    expect(servers).to.deep.equal(['https://one', 'https://two']);
  });

  it('gives token, certificates and impersonation as the kubeconfig says', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const path = kubeconfig('full', 'https://full', {
      token: 'abc',
      as: 'somebody',
      'client-certificate-data': base64('cert'),
      'client-key-data': base64('key'),
    });

    const access = await (await load({ kubeconfig: path })).access();

    expect(access).to.deep.equal({
      headers: { authorization: 'Bearer abc', 'impersonate-user': 'somebody' },
      tls: { cert: 'cert', key: 'key' },
    });
  });

  it('gives a user name and a password as basic authentication', async () => {
    const path = kubeconfig('basic', 'https://basic', { username: 'u', password: 'p' });

    const { headers } = await (await load({ kubeconfig: path })).access();

    expect(headers).to.deep.equal({ authorization: `Basic ${Buffer.from('u:p').toString('base64')}` });
  });

  it('runs a credential plugin once, and again after its token was refused', async () => {
    const count = join(directory, 'count');
    const plugin = file(
      'plugin.mjs',
      `import { appendFileSync, readFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(count)}, 'x');
       const token = 'token-' + readFileSync(${JSON.stringify(count)}, 'utf8').length;
       console.log(JSON.stringify({ status: { token } }));`,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [plugin] };
    const credentials = await load({ kubeconfig: kubeconfig('exec', 'https://exec', { exec }) });
    const token = async (): Promise<string | undefined> =>
      (await credentials.access()).headers['authorization'];

    const tokens = [await token(), await token()];
    credentials.invalidate();
    tokens.push(await token());

    expect(tokens).to.deep.equal(['Bearer token-1', 'Bearer token-1', 'Bearer token-2']);
  });

  describe('rotation', () => {
    it('reads a token again after ten seconds, and keeps the connections', async () => {
      const credentials = await load({ env: pod() });
      const before = await credentials.access();
      file('token', 'next-token');
      const cached = await credentials.access();

      await clock.advance(10_000);
      const after = await credentials.access();

      expect([before, cached, after].map(({ headers }) => headers['authorization'])).to.deep.equal([
        'Bearer pod-token',
        'Bearer pod-token',
        'Bearer next-token',
      ]);
      expect(after.tls).to.equal(before.tls);
    });

    it('reads a token again at once after it was refused', async () => {
      const credentials = await load({ env: pod() });
      await credentials.access();
      file('token', 'next-token');

      credentials.invalidate();

      expect((await credentials.access()).headers['authorization']).to.equal('Bearer next-token');
    });

    it('asks for new connections when the authority changed', async () => {
      const credentials = await load({ env: pod() });
      const before = await credentials.access();
      file('ca.crt', 'next-ca');

      await clock.advance(10_000);
      const after = await credentials.access();

      expect(after.tls).to.not.equal(before.tls);
      expect(after.tls).to.deep.equal({ ca: 'next-ca' });
    });
  });

  describe('refuses, with a remedy,', () => {
    it('to run without any check of certificates', async () => {
      expect(await problemOf({ env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } })).to.equal(
        'NODE_TLS_REJECT_UNAUTHORIZED=0 switches off the check of every certificate. Unset it.',
      );
    });

    it('to guess a cluster', async () => {
      expect(await problemOf()).to.match(
        /^no cluster is configured in .*\/\.kube\/config\. Name a kubeconfig with/,
      );
    });

    it('a file that is not there', async () => {
      expect(await problemOf({ kubeconfig: join(directory, 'missing') })).to.match(
        /cannot be read: ENOENT.*Check the path/,
      );
    });

    it('a file that is no YAML, without quoting it', async () => {
      const problem = await problemOf({
        kubeconfig: file('bad', 'users:\n- name: a\n  token: "CANARY\n\tx: ['),
      });

      expect(problem).to.contain('cannot be read');
      expect(problem).to.not.contain('CANARY');
    });

    it('an unknown context, with those that are known', async () => {
      const path = kubeconfig('one', 'https://one');

      expect(await problemOf({ kubeconfig: path, context: 'two' })).to.equal(
        `${path} has no context "two". Choose one with --context: one.`,
      );
    });

    it('to send credentials in clear text over a network', async () => {
      const path = kubeconfig('plain', 'http://example.com:8080');

      expect(await problemOf({ kubeconfig: path })).to.contain('would get credentials in clear text');
    });
  });

  it('allows clear text on loopback, where kubectl proxy listens', async () => {
    const credentials = await load({ kubeconfig: kubeconfig('proxy', 'http://127.0.0.1:8001') });

    expect((await credentials.access()).headers).to.deep.equal({ authorization: 'Bearer t' });
  });
});
