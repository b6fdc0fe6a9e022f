/** Cases that we render otherwise than istioctl, each with a reason that a user would accept. See docs/differences.md. */

const OVERLAY_OF_REVISION =
  'The overlay names an object without the revision; istioctl drops it in silence, we apply it to the object of the revision.';
const OVERLAY_WITHOUT_OBJECT =
  'The overlay names an object that is not rendered; istioctl drops it in silence, we say so.';
const DOTS_IN_BRACKETS =
  'The path selects by a value with dots; istioctl splits the value and drops the patch in silence, we apply it.';
const DAEMONSET_REPLICAS =
  'A DaemonSet has no replicas: the API server refuses what istioctl renders; we leave it out and warn.';
const DAEMONSET_STRATEGY =
  'A DaemonSet has updateStrategy, not strategy: the API server refuses what istioctl renders; we set the field that is meant.';
const GATEWAYS_BY_NAME =
  'Lists of gateways merge by name, as the in-cluster operator did; istioctl replaces them, so that settings of the first file are lost.';

type Reasons = Readonly<Record<string, string>>;

const IN_EVERY_LINE: Reasons = {
  'k8s-cni-replicaCount': DAEMONSET_REPLICAS,
  'k8s-cni-strategy': DAEMONSET_STRATEGY,
  'k8s-ztunnel-replicaCount': DAEMONSET_REPLICAS,
  'k8s-ztunnel-strategy': DAEMONSET_STRATEGY,
  'overlay-missing-object': OVERLAY_WITHOUT_OBJECT,
  'overlay-webhook-by-name': DOTS_IN_BRACKETS,
  'two-files-gw-merge': GATEWAYS_BY_NAME,
};

/** Cases that were recorded, or differ, for one line only. */
const IN_ONE_LINE: Readonly<Record<string, Reasons>> = {
  '1.30': {
    'mix-11-004': DOTS_IN_BRACKETS,
    'mix-11-005': OVERLAY_OF_REVISION,
    'mix-11-007': OVERLAY_WITHOUT_OBJECT,
    'mix-11-033': OVERLAY_OF_REVISION,
    'mix-11-052': OVERLAY_OF_REVISION,
    'mix-11-054': OVERLAY_OF_REVISION,
    'mix-11-055': OVERLAY_OF_REVISION,
    'mix-11-082': OVERLAY_OF_REVISION,
    'mix-11-083': OVERLAY_WITHOUT_OBJECT,
    'mix-11-085': OVERLAY_OF_REVISION,
    'mix-11-095': OVERLAY_WITHOUT_OBJECT,
    'mix-11-096': OVERLAY_WITHOUT_OBJECT,
    'mix-11-100': OVERLAY_OF_REVISION,
    'mix-11-103': OVERLAY_OF_REVISION,
    'mix-11-116': OVERLAY_OF_REVISION,
    'mix-11-119': OVERLAY_OF_REVISION,
  },
};

/** The reasons of a line's allowed differences by case. */
export function allowedDifferencesOf(line: string): Reasons {
  return { ...IN_EVERY_LINE, ...IN_ONE_LINE[line] };
}
