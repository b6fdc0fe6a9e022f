/** Who may talk to the API server, with secrets that are made anew for each control plane. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Program } from './programs.ts';

interface UserRow {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The controller manager and the scheduler have the very rights that Kubernetes gives them by default. */
const USERS = {
  admin: { name: 'admin', groups: ['system:masters'] },
  'kube-controller-manager': { name: 'system:kube-controller-manager', groups: [] },
  'kube-scheduler': { name: 'system:kube-scheduler', groups: [] },
  kwok: { name: 'kwok', groups: ['system:masters'] },
} as const satisfies Partial<Record<Program | 'admin', UserRow>>;

export type User = keyof typeof USERS;

const USER_NAMES = Object.keys(USERS) as readonly User[]; // keys of a closed literal

/** The bearer token of each user: 32 random bytes. */
export type Tokens = Readonly<Record<User, string>>;

export interface ServerAddress {
  /** Such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Certificates, in PEM, that the server's own is verified with. */
  readonly certificateAuthority: string;
}

/** Readable for nobody but this user. */
const SECRET_FILE = { mode: 0o600 } as const;

export function generateTokens(): Tokens {
  const entries = USER_NAMES.map((user) => [user, randomBytes(32).toString('base64url')]);
  return Object.fromEntries(entries) as Tokens; // has every user, since it is made from the list of them
}

/** Writes what kube-apiserver's `--token-auth-file` wants: token, user name, user id and groups in each line. */
export function writeTokenFile(path: string, tokens: Tokens): void {
  const lines = USER_NAMES.map((user) => {
    const { name, groups } = USERS[user];
    return `${tokens[user]},${name},${user},"${groups.join(',')}"\n`;
  });
  writeFileSync(path, lines.join(''), SECRET_FILE);
}

/**
 * Writes the key that service accounts' tokens are signed with. One file serves to sign and to verify. An elliptic
 * curve, because its key is there at once, where an RSA key takes a tenth of a second.
 */
export function writeServiceAccountKey(path: string): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(path, privateKey.export({ type: 'sec1', format: 'pem' }), SECRET_FILE);
}

/** A kubeconfig with everything inside, so that it can be moved to another folder. */
function kubeconfigOf({ server, certificateAuthority }: ServerAddress, token: string): string {
  const name = 'istio-operator-e2e';
  const authority = Buffer.from(certificateAuthority).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** The path of a user's kubeconfig in the control plane's folder. */
export function kubeconfigPathOf(directory: string, user: User): string {
  return join(directory, user === 'admin' ? 'kubeconfig' : `${user}.kubeconfig`);
}

/** Writes a kubeconfig for every user. */
export function writeKubeconfigs(directory: string, address: ServerAddress, tokens: Tokens): void {
  for (const user of USER_NAMES) {
    writeFileSync(kubeconfigPathOf(directory, user), kubeconfigOf(address, tokens[user]), SECRET_FILE);
  }
}
