/** What each proof under faults shows, and how much of it is asked for. docs/reliability.md is made from this table. */

export interface Proof {
  readonly title: string;
  /** One sentence: what is done, and what must hold. */
  readonly shows: string;
  /** Of tier 2. */
  readonly target: string;
  /** The suite, a file beside this one. */
  readonly suite: string;
}

/** A suite that proves something else adds a row here and calls `recordProof` with its key. */
export const PROOFS = {
  model: {
    title: 'Schedules of faults, modelled',
    shows:
      'The real controller and engine run in a cluster made of memory, where at each request something may fail, crash or be changed by others: all single faults, pairs of crashes and lost calls, and longer schedules by chance. Each ends as an undisturbed run and then rests; nothing wanted or foreign is deleted, nothing of ours is in no inventory after any request, and no status says ready for what is not.',
    target: '≥ 100,000 schedules, 0 violations',
    suite: 'model.e2e.ts',
  },
  several: {
    title: 'Several resources, modelled',
    shows:
      'Up to five IstioOperators with overlapping revisions, tags, gateways and shared objects are created, edited, paused, orphaned and deleted in random orders, in part while the operator is away: nothing is deleted that another one wants and can take, each object has one owner, whoever is refused is told by whom and follows when it may, nothing is left behind in the end, and a restart at rest writes nothing.',
    target: '≥ 8,000 prunes, 0 wrong',
    suite: 'model.e2e.ts',
  },
  crashes: {
    title: 'Crash at every write',
    shows:
      'The operator is killed before or after one write and started again, and in some plans killed a second time while it makes good the first: the cluster ends byte-equal to an undisturbed run, no object is created or deleted more often than there, and a further restart writes nothing.',
    target: '≥ 600 plans, 0 differences',
    suite: 'crash-sweep.e2e.ts',
  },
  views: {
    title: 'Stale and unobserved views',
    shows:
      'A restarted operator is shown lists from the past, or a running one misses, gets late or loses its watch events, those of what was undone, deleted or made anew meanwhile among them: nothing wanted is deleted, and it ends as if it had seen all.',
    target: '≥ 100 plans, 0 differences',
    suite: 'views.e2e.ts',
  },
  apiFaults: {
    title: 'API faults by class of request',
    shows:
      'Each class of request meets each fault that can happen to it: the operator goes on, never exits, sends no request more than a few times, and ends as undisturbed.',
    target: '≥ 90 cells, 0 differences',
    suite: 'api-faults.e2e.ts',
  },
  storms: {
    title: 'Storms of refusals',
    shows:
      'For half a minute the API server answers everything with 429, 503 or a broken connection, while three resources change: few requests are made meanwhile (of work: all but lists, watches and the lease, which tell when the server is back), and afterwards the work goes on by itself.',
    target: '4 storms, 0 differences, ≤ 120 requests of work in each, all done ≤ 5 s after the end',
    suite: 'storm.e2e.ts',
  },
  restarts: {
    title: 'Restarts of API server and etcd',
    shows:
      'After SIGKILL of either, what is changed behind the operator is repaired once the server is ready again, without a restart of the operator.',
    target: '≥ 20 restarts, watches back ≤ 5 s after readyz',
    suite: 'api-faults.e2e.ts',
  },
  rewind: {
    title: 'Backup and restore',
    shows:
      'etcd is put back to an earlier copy: resourceVersions go back, what was made since is gone, what was deleted since is there again, and the IstioOperator is of an older generation, gone or back. Whether the operator runs meanwhile, was started since the copy, or is started afterwards, in the midst of its work too: it deletes and makes nothing but what the copy lacks, ends as undisturbed without a restart, repairs and follows changes as before, and no status tells of a generation that is not there. Times are the slowest of one object that was deleted and one specification that was changed right after. Where the copy has the Lease of an earlier process, the change waits for that to expire: 15 s.',
    target: '≥ 10 restores, 0 differences, 0 wrong deletions',
    suite: 'rewind.e2e.ts',
  },
  failOver: {
    title: 'Fail-over',
    shows:
      'The leader of two replicas is ended, killed, stopped for a while, blocked or cut off from the API server in the middle of its work, both are cut off, or the lease is given to somebody else by hand, a third of the replicas with a wrong clock: one leads and writes again, and no replica writes while another holds the lease, or crashes because it lost it. Lease of 3 s; times are middle/largest, until one leads and until it first writes anything but the lease (after SIGTERM: from the release on). What the slowest start of a replica took tells how busy the machine was, and is allowed beside the limits.',
    target:
      '≥ 250 fail-overs, 0 overlapping writes, the first after SIGTERM ≤ 1 s, after all others ≤ 5 s, both parted ≤ 4 s',
    suite: 'fail-over.e2e.ts',
  },
  failOverShipped: {
    title: 'Fail-over, times as shipped',
    shows:
      'The same with the lease of 15 s that deploy/ uses; and a leader that is blocked for 5 s, or whose lease is deleted or emptied by hand, keeps it.',
    target:
      'SIGTERM ≤ 1 s, all others ≤ 17 s (lease given away 19 s, both parted 20 s), 0 overlapping writes',
    suite: 'fail-over.e2e.ts',
  },
  campaign: {
    title: 'Mutation campaign',
    shows:
      'Specifications are changed field by field as the schemas allow, and as they do not, in chains on one cluster: each ends in the very state that a new installation would have, says so truthfully, goes back when it is taken back, and then rests.',
    target: '≥ 1,400 transitions, 0 violations of O1 to O8',
    suite: 'campaign.e2e.ts',
  },
  deputy: {
    title: 'Confused deputy',
    shows:
      "Somebody with all rights on the IstioOperators of one namespace, and no others, tries to borrow the operator's: every attempt is refused, and moves the operator to nothing.",
    target: '25 attempts, all refused',
    suite: 'deputy.e2e.ts',
  },
  canaries: {
    title: 'Secret canaries',
    shows:
      'Secrets stand in more than a dozen kinds of places, and the API server is made to echo them in its errors: none is found in logs, status, events, metrics, ConfigMaps of ours, or what the command line prints, neither plain nor in base64, hex or URL form.',
    target: '12 places, 0 found',
    suite: 'canaries.e2e.ts',
  },
  readers: {
    title: 'Status, as others read it',
    shows:
      'kubectl wait, kstatus (sigs.k8s.io/cli-utils) and the rule of Argo CD judge every state of installation, upgrade, failure and deletion: they agree, and none takes for done what is not.',
    target: '0 contradictions in all states stored',
    suite: 'conditions.e2e.ts',
  },
  poison: {
    title: 'Poison resources',
    shows:
      'Resources that are too deep, too wide, too long, of wrong types or made to trip a parser are created beside a healthy one, others that are heavy but valid are installed, metadata and status are forged, small ones come by the hundred, and one is edited 20 times a second: each is refused, installed or gets its status, the operator stays the same process, looks at no resource more than twice a second for long, and repairs the healthy one meanwhile. How late the event loop was is measured in its process, over the whole run. Repairs are middle/largest.',
    target:
      '≥ 100 resources, 0 not contained, status ≤ 10 s, event loop late ≤ 100 ms (p99), ≤ 2 looks a second, repairs ≤ 1 s, memory ≤ 256 MiB (of 320 allowed)',
    suite: 'poison.e2e.ts',
  },
  adversary: {
    title: 'Contested fields',
    shows:
      'Once a second for ten minutes, programs put fields of the installed objects to something else, take labels and entries away, and delete objects, each another one: each fight is given up after a few repairs and tried again only after longer and longer pauses, condition and event say which field and who, what nobody contests is repaired meanwhile, and when the fights stop all is put back. Counted from the audit log.',
    target:
      '≥ 12 fights, each with ≤ 4 repairs at once and then pauses ≥ 30 s, all told, all put back in the end',
    suite: 'adversary.e2e.ts',
  },
  drift: {
    title: 'Drift of every kind',
    shows:
      'An object of every kind that can be rendered has a label changed, a field changed, a field removed, its owner label stripped, is deleted, or gets a finalizer: each is repaired, an event names the field and whoever changed it, the status leaves HEALTHY meanwhile, and what others put there stays.',
    target: '≥ 120 cases, 0 not repaired or not told, repair ≤ 1 s (p99)',
    suite: 'drift.e2e.ts',
  },
  soak: {
    title: 'Soak',
    shows:
      'Edits, drift, deletions, a resource that comes and goes, and watches that break or are told that they are too old, round after round for an hour (`SOAK_MINUTES`). After each round the operator collects garbage and is measured from inside: what it holds does not grow (slope by Theil and Sen after the first quarter), nor do sockets, timers and listeners; everything is HEALTHY in the end, and at rest nothing is written.',
    target: '≥ 60 minutes, memory ≤ 1 MiB an hour, growth of all others 0, 0 writes at rest',
    suite: 'soak.e2e.ts',
  },
} as const satisfies Readonly<Record<string, Proof>>;

export type ProofName = keyof typeof PROOFS;
