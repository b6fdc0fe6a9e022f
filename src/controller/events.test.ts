import { expect } from 'chai';
import { at } from '../model/json.ts';
import type { LogFields, Logger } from '../model/logger.ts';
import { EventRecorder } from './events.ts';
import type { EventDraft } from './outcome-events.ts';
import { istioOperator } from './testing/builders.ts';
import { FakeClock, settled } from './testing/fake-clock.ts';
import { InMemoryCluster } from './testing/in-memory-cluster.ts';
import { SILENT_LOGGER } from './testing/silent-logger.ts';

const DRAFT: EventDraft = { type: 'Warning', reason: 'NotReady', note: 'istiod waits' };

function recorderOn(
  clock: FakeClock,
  logger: Logger = SILENT_LOGGER,
): { recorder: EventRecorder; cluster: InMemoryCluster } {
  const cluster = new InMemoryCluster();
  return {
    cluster,
    recorder: new EventRecorder({ resources: cluster, clock, logger, instance: 'istio-operator-0' }),
  };
}

describe('EventRecorder', () => {
  it('writes what the events API asks for, about the resource', async () => {
    const { recorder, cluster } = recorderOn(new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5, 67)));

    recorder.record(istioOperator({ resourceVersion: '7' }), DRAFT);
    await settled();

    expect(cluster.events).to.deep.equal([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'demo.19b7ca98ccb0001', namespace: 'istio-system' },
        eventTime: '2026-01-02T03:04:05.067000Z',
        type: 'Warning',
        reason: 'NotReady',
        action: 'Reconcile',
        note: 'istiod waits',
        reportingController: 'istio-operator.install.istio.io',
        reportingInstance: 'istio-operator-0',
        regarding: {
          apiVersion: 'install.istio.io/v1alpha1',
          kind: 'IstioOperator',
          namespace: 'istio-system',
          name: 'demo',
          uid: 'uid-demo',
          resourceVersion: '7',
        },
      },
    ]);
  });

  it('does not repeat itself within ten minutes, and does afterwards', async () => {
    const clock = new FakeClock();
    const { recorder, cluster } = recorderOn(clock);

    recorder.record(istioOperator(), DRAFT);
    await clock.advance(599_999);
    recorder.record(istioOperator(), DRAFT);
    const within = cluster.events.length;
    await clock.advance(1);
    recorder.record(istioOperator(), DRAFT);
    await settled();

    expect([within, cluster.events.length]).to.deep.equal([1, 2]);
  });

  it('tells resources, reasons and notes apart', async () => {
    const { recorder, cluster } = recorderOn(new FakeClock());

    recorder.record(istioOperator(), DRAFT);
    recorder.record(istioOperator({ name: 'other' }), DRAFT);
    recorder.record(istioOperator(), { ...DRAFT, reason: 'ApplyFailed' });
    recorder.record(istioOperator(), { ...DRAFT, note: 'the gateway waits' });
    await settled();

    const names = cluster.events.map((event) => event.metadata.name);
    expect(new Set(names).size).to.equal(4);
  });

  it('writes a burst about one resource and then one event in half a minute', async () => {
    const clock = new FakeClock();
    const { recorder, cluster } = recorderOn(clock);

    for (let count = 0; count < 100; count += 1)
      recorder.record(istioOperator(), { ...DRAFT, type: 'Normal', note: `note ${count}` });
    await settled();
    const burst = cluster.events.length;
    await clock.advance(30_000);
    recorder.record(istioOperator(), { ...DRAFT, type: 'Normal', note: 'later' });
    await settled();

    expect([burst, cluster.events.length]).to.deep.equal([25, 26]);
  });

  it('writes as many warnings beside, however much was told before', async () => {
    const { recorder, cluster } = recorderOn(new FakeClock());
    const tell = (type: 'Normal' | 'Warning') => {
      for (let count = 0; count < 100; count += 1)
        recorder.record(istioOperator(), { ...DRAFT, type, note: `${type} ${count}` });
    };

    tell('Normal');
    tell('Warning');
    await settled();

    const types = cluster.events.map((event) => at(event, 'type'));
    expect(types.filter((type) => type === 'Normal')).to.have.length(25);
    expect(types.filter((type) => type === 'Warning')).to.have.length(25);
  });

  it('cuts notes to what the API takes', async () => {
    const { recorder, cluster } = recorderOn(new FakeClock());

    recorder.record(istioOperator(), { ...DRAFT, note: 'x'.repeat(5_000) });
    await settled();

    expect(at(cluster.events[0], 'note')).to.have.length(1_024);
  });

  it('survives an API server that takes no events, and says so in the log only', async () => {
    const logged: [string, LogFields | undefined][] = [];
    const logger = {
      ...SILENT_LOGGER,
      debug: (message: string, fields?: LogFields) => void logged.push([message, fields]),
    };
    const { recorder, cluster } = recorderOn(new FakeClock(), logger);
    cluster.failures.createEvent = ['forbidden'];

    recorder.record(istioOperator(), DRAFT);
    await recorder.stop();

    expect(cluster.events).to.deep.equal([]);
    expect(logged.map(([message, fields]) => [message, fields?.['reason']])).to.deep.equal([
      ['event not written', 'NotReady'],
    ]);
  });
});
