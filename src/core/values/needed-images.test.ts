import { expect } from 'chai';
import type { TestPlanner } from '../testing/planning.ts';
import { testPlanner } from '../testing/planning.ts';

describe('imagesOf', () => {
  let planner: TestPlanner;

  before(async () => {
    planner = await testPlanner();
  });

  it('lists what workloads run and what is injected, sorted and each once', () => {
    const hub = 'registry.corp/istio';

    const { images } = planner.plan({ profile: 'ambient', hub, tag: '1.30.3' });

    expect(images).to.deep.equal(
      ['install-cni', 'pilot', 'proxyv2', 'ztunnel'].map((name) => `${hub}/${name}:1.30.3-distroless`),
    );
  });

  it('shows that a mirror holds everything, the helpers of addons too', () => {
    const { images } = planner.plan({ profile: 'observability', hub: 'registry.corp/istio' });

    expect(images.filter((image) => !image.startsWith('registry.corp/istio/'))).to.deep.equal([]);
    expect(images).to.include('registry.corp/istio/prometheus-config-reloader:v0.89.0');
  });

  it('has the sidecar and its init container where they are images of their own', () => {
    const global = { proxy: { image: 'proxy.corp/own:7' }, proxy_init: { image: 'init.corp/own:8' } };

    const { images } = planner.plan({ profile: 'minimal', values: { global } });

    expect(images).to.include.members(['init.corp/own:8', 'proxy.corp/own:7']);
  });
});
