/** Admission webhooks on loopback, where the real one cannot run: no pod of the test cluster runs a program. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { at, mapAt } from '../../src/model/json.ts';

export interface WebhookServer {
  /** Where the API server shall ask. */
  readonly url: string;
  /** In base64, as webhook configurations have it. */
  readonly caBundle: string;
  /** The pods that it was asked about. */
  readonly pods: readonly JsonObject[];
  close(): Promise<void>;
}

/** Serves a webhook that answers each pod with a JSON patch. */
export async function serveWebhook(patchFor: (pod: JsonObject) => JsonValue): Promise<WebhookServer> {
  return serveAdmission((pod) => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patchFor(pod))).toString('base64'),
  }));
}

/** Serves a webhook that answers each object as it is told. */
export async function serveAdmission(answerFor: (object: JsonObject) => JsonObject): Promise<WebhookServer> {
  const { key, cert } = loopbackCertificate();
  const pods: JsonObject[] = [];
  const answer = async (request: IncomingMessage): Promise<string> => {
    const review = (await json(request)) as JsonObject; // the API server sends nothing else
    const pod = mapAt(review, 'request', 'object');
    pods.push(pod);
    const response = { uid: at(review, 'request', 'uid') ?? '', ...answerFor(pod) };
    return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
  };
  const server = createServer({ key, cert }, (request, response) => {
    void answer(request).then((body) => response.setHeader('content-type', 'application/json').end(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listens on a port, not on a pipe
  return {
    url: `https://127.0.0.1:${port}/inject`,
    caBundle: Buffer.from(cert).toString('base64'),
    pods,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function loopbackCertificate(): { readonly key: string; readonly cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'webhook-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'];
  try {
    execFileSync(
      'openssl',
      [...request, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
      {
        stdio: 'ignore',
      },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
