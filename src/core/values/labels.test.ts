import { expect } from 'chai';
import { DEFAULT_RELEASE } from '../releases.ts';
import { componentLabels, standardLabels, standardPodLabels, withRevision } from './labels.ts';

const RELEASE = { ...DEFAULT_RELEASE, chartVersion: '1.2.3' };

describe('standardPodLabels', () => {
  it('names Helm and its chart, unlike the labels of objects', () => {
    expect(standardPodLabels(RELEASE, 'istiod')).to.deep.equal({
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/instance': 'istio',
      'app.kubernetes.io/part-of': 'istio',
      'app.kubernetes.io/version': '1.2.3',
      'helm.sh/chart': 'istiod-1.2.3',
    });
    expect(standardLabels(RELEASE)['app.kubernetes.io/managed-by']).to.equal('istio-operator');
  });
});

describe('componentLabels', () => {
  it('has words for no revision and no owner', () => {
    expect(componentLabels({ revision: '', owner: '', component: 'Pilot' })).to.deep.equal({
      'istio.io/rev': 'default',
      'install.operator.istio.io/owning-resource': 'unknown',
      'operator.istio.io/component': 'Pilot',
    });
    expect(componentLabels({ revision: 'r', owner: 'o', component: 'Cni' })).to.deep.equal({
      'istio.io/rev': 'r',
      'install.operator.istio.io/owning-resource': 'o',
      'operator.istio.io/component': 'Cni',
    });
  });
});

describe('withRevision', () => {
  it('appends the revision when there is one', () => {
    expect([withRevision('istiod', ''), withRevision('istiod', 'canary')]).to.deep.equal([
      'istiod',
      'istiod-canary',
    ]);
  });
});
