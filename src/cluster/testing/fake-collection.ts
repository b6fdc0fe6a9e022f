/** ConfigMaps as a fake API server serves them: lists as scripted, watches that the test feeds. */
import type { ServerResponse } from 'node:http';
import type { K8sObject } from '../../model/object.ts';
import type { ReceivedRequest, Reply } from './fake-api-server.ts';
import { FakeApiServer, OpenWatch, json } from './fake-api-server.ts';
import { CORE_RESOURCES, listOf } from './objects.ts';
import { until } from './until.ts';

export class FakeCollection {
  readonly server: FakeApiServer = new FakeApiServer();
  readonly lists: ReceivedRequest[] = [];
  /** Requests to watch, also refused ones. */
  readonly watchRequests: ReceivedRequest[] = [];
  readonly watches: OpenWatch[] = [];
  /** How discovery, lists and the opening of watches are answered; to be changed as the test goes on. */
  discover: Reply = json(CORE_RESOURCES);
  list: Reply = json(listOf([], 1));
  watch: Reply = (response) => this.open(response);

  async start(): Promise<void> {
    this.server.always((response, request) => this.#answer(response, request));
    await this.server.start();
  }

  holds(objects: readonly K8sObject[], resourceVersion: number): void {
    this.list = json(listOf(objects, resourceVersion));
  }

  /** Opens a watch that the test feeds. */
  open(response: ServerResponse): void {
    this.watches.push(new OpenWatch(response));
  }

  /** The watch with that number, counted from 1, once it is open. */
  async watchNumber(count: number): Promise<OpenWatch> {
    await until(`watch ${count} is open`, () => this.watches.length >= count);
    const watch = this.watches[count - 1];
    if (watch === undefined) throw new Error('no such watch');
    return watch;
  }

  #answer(response: ServerResponse, request: ReceivedRequest): void {
    if (request.path === '/api/v1') return this.discover(response, request);
    if (request.isWatch) {
      this.watchRequests.push(request);
      return this.watch(response, request);
    }
    this.lists.push(request);
    return this.list(response, request);
  }
}
