import type { ClientTraits, Deed, Event, Schedule } from './schedule.ts'

/** Schedules that chance draws too seldom: what has gone wrong elsewhere, step by step. */

const usual: ClientTraits = {
  groupInstanceId: null,
  assignors: ['range'],
  joinVersion: 5,
  syncVersion: 3,
  leaveVersion: 3,
  commitVersion: 7,
  offsetFetchVersion: 7,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  heartbeatMs: 3_000,
  joinRequestTimeoutMs: 20_000,
  commitMs: 0,
}

const clients = (
  count: number,
  traitsOf: (index: number) => Partial<ClientTraits> = () => ({}),
): ClientTraits[] => Array.from({ length: count }, (_, i) => ({ ...usual, ...traitsOf(i) }))

const at = (atMs: number, who: number, deed: Deed): Event => ({ ...deed, atMs, who })
const start = (atMs: number, who: number): Event => at(atMs, who, { does: 'start' })
const starts = (count: number, apartMs: number): Event[] =>
  Array.from({ length: count }, (_, who) => start(who * apartMs, who))

const directed = (
  name: string,
  members: ClientTraits[],
  events: Event[],
  more: Partial<Schedule> = {},
): Schedule => ({
  name,
  seed: 0,
  partitionCount: 6,
  settings: { 'group.initial.rebalance.delay.ms': '100' },
  clients: members,
  faults: { delayMs: 5, lostRequests: 0, lostAnswers: 0 },
  events: events.toSorted((a, b) => a.atMs - b.atMs),
  faultsEndMs: Math.max(...events.map(({ atMs }) => atMs)) + 1_000,
  isCalm: false,
  generationLimit: null,
  ...more,
})

const calm = (generationLimit: number): Partial<Schedule> => ({ isCalm: true, generationLimit })

const coming: readonly Schedule[] = [
  directed('together', clients(3), starts(3, 0), calm(1)),
  directed('50-ms-apart', clients(3), starts(3, 50), calm(3)),
  directed('1-s-apart', clients(3), starts(3, 1_000), calm(3)),
  directed('5-s-apart', clients(3), starts(3, 5_000), calm(3)),
  directed('10-s-apart', clients(3), starts(3, 10_000), calm(3)),
  directed('during-the-initial-delay', clients(3), starts(3, 2_000), {
    ...calm(1),
    settings: { 'group.initial.rebalance.delay.ms': '3000' },
  }),
  directed('the-last-of-many', clients(12), [...starts(11, 10), start(7_500, 11)], {
    ...calm(1),
    settings: {
      'group.initial.rebalance.delay.ms': '3000',
      'group.initial.rebalance.adaptive': 'true',
    },
  }),
  directed('as-many-as-expected', clients(3), starts(3, 500), {
    ...calm(1),
    settings: {
      'group.initial.rebalance.delay.ms': '3000',
      'group.initial.rebalance.expected.members': '3',
    },
  }),
  directed('alone', clients(1), starts(1, 0), calm(1)),
  directed(
    'before-kip-394',
    clients(3, () => ({ joinVersion: 2 })),
    starts(3, 5_000),
    calm(3),
  ),
  directed('more-members-than-partitions', clients(5), starts(5, 1_000), {
    ...calm(5),
    partitionCount: 3,
  }),
  directed(
    'while-the-leader-assigns',
    clients(3),
    [...starts(2, 0), at(0, 0, { does: 'dawdle to assign', ms: 1_000 }), start(700, 2)],
    calm(2),
  ),
  directed(
    'while-an-old-member-takes-its-time',
    clients(3),
    [...starts(2, 0), at(0, 0, { does: 'dawdle to join', ms: 3_500 }), start(8_000, 2)],
    { ...calm(2), faultsEndMs: 20_000 },
  ),
]

const going: readonly Schedule[] = [
  directed(
    'removed-and-added-again',
    clients(3),
    [...starts(3, 0), at(10_000, 0, { does: 'leave' }), start(20_000, 0)],
    calm(3),
  ),
  directed(
    'quitters',
    clients(6),
    [0, 1, 2, 3, 4, 5].flatMap((who) => [
      start(who * 400, who),
      ...(who < 4 ? [at(6_000 + who * 900, who, { does: 'leave' })] : []),
    ]),
    calm(10),
  ),
  directed(
    'leaves-while-others-join',
    clients(3),
    [...starts(2, 0), start(5_000, 2), at(5_500, 1, { does: 'leave' })],
    calm(4),
  ),
  directed('crash', clients(3), [...starts(3, 0), at(10_000, 1, { does: 'crash' })]),
  directed('rolling-restart', clients(3), [
    ...starts(3, 0),
    ...[0, 1, 2].map((who) => at(10_000 + who * 8_000, who, { does: 'restart' })),
  ]),
  directed('leader-dies-before-its-sync', clients(3), [
    ...starts(3, 0),
    at(0, 0, { does: 'dawdle to assign', ms: 3_000 }),
    at(0, 1, { does: 'dawdle to assign', ms: 3_000 }),
    at(0, 2, { does: 'dawdle to assign', ms: 3_000 }),
    at(1_000, 0, { does: 'crash' }),
  ]),
  directed('id-fetched-and-abandoned', clients(2), [
    start(0, 0),
    start(5_000, 1),
    at(5_000, 1, { does: 'lose join answers', count: 1 }),
    at(5_100, 1, { does: 'crash' }),
  ]),
]

/** The first member leads, and brings no assignment any more once there are others. */
const neverSyncs = (name: string, settings: Record<string, string>): Schedule =>
  directed(
    name,
    clients(3, () => ({ sessionTimeoutMs: 30_000 })),
    [
      start(0, 0),
      at(2_900, 0, { does: 'dawdle to assign', ms: 40_000 }),
      start(3_000, 1),
      start(3_000, 2),
    ],
    { settings: { 'group.initial.rebalance.delay.ms': '100', ...settings }, faultsEndMs: 60_000 },
  )

const instance = (index: number): Partial<ClientTraits> => ({
  groupInstanceId: `s${index}`,
  sessionTimeoutMs: 30_000,
  rebalanceTimeoutMs: 5_000,
})

const odd: readonly Schedule[] = [
  directed(
    'join-answers-lost-16-times',
    clients(2, (i) => ({ joinRequestTimeoutMs: i === 1 ? 300 : 20_000 })),
    [start(0, 0), at(3_000, 1, { does: 'lose join answers', count: 16 }), start(3_000, 1)],
  ),
  neverSyncs('leader-never-syncs', {}),
  neverSyncs('leader-never-syncs-and-the-broker-assigns', {
    'leader.sync.timeout.ms': '5000',
    'leader.sync.fallback': 'assign',
  }),
  directed(
    'static-members-restart',
    clients(3, (i) => ({ ...instance(i), joinVersion: 9 - i })),
    [
      ...starts(3, 0),
      ...[0, 1, 2].map((who) => at(10_000 + who * 3_000, who, { does: 'restart' })),
    ],
    { generationLimit: 1 },
  ),
  directed(
    'static-member-sleeps-through-a-rebalance',
    clients(3, (i) => ({ ...instance(i), joinVersion: 9 - 2 * i })),
    [...starts(2, 0), at(5_000, 1, { does: 'pause', ms: 8_000 }), start(5_200, 2)],
    { faultsEndMs: 30_000 },
  ),
  directed('static-member-restarts-while-it-syncs', clients(2, instance), [
    ...starts(2, 0),
    at(0, 0, { does: 'dawdle to assign', ms: 2_000 }),
    at(0, 1, { does: 'dawdle to assign', ms: 2_000 }),
    at(1_000, 0, { does: 'restart' }),
    at(1_000, 1, { does: 'restart' }),
  ]),
  directed(
    'static-members-all-asleep',
    clients(3, (i) => ({ ...instance(i), ...(i === 2 ? { sessionTimeoutMs: 6_000 } : {}) })),
    [
      ...starts(3, 0),
      at(5_000, 2, { does: 'crash' }),
      at(5_500, 1, { does: 'crash' }),
      at(5_000, 0, { does: 'pause', ms: 14_000 }),
    ],
    { faultsEndMs: 40_000 },
  ),
  directed(
    'cooperative',
    clients(4, () => ({ assignors: ['cooperative-sticky'], commitMs: 700 })),
    [...starts(4, 5_000), at(25_000, 1, { does: 'leave' })],
    calm(10),
  ),
  directed(
    'two-assignors',
    clients(3, (i) => ({ assignors: i === 1 ? ['roundrobin', 'range'] : ['range', 'roundrobin'] })),
    starts(3, 2_000),
    calm(3),
  ),
  directed(
    'offsets-pass-from-member-to-member',
    clients(2, (i) => ({
      commitMs: 500,
      commitVersion: i === 0 ? 7 : 9,
      offsetFetchVersion: i === 0 ? 7 : 9,
    })),
    [...starts(2, 5_000), at(12_000, 0, { does: 'leave' }), start(16_000, 0)],
    calm(4),
  ),
  directed(
    'coordinator-restarts',
    clients(3, () => ({ commitMs: 500 })),
    [...starts(3, 0), at(8_000, -1, { does: 'restart coordinator' })],
  ),
]

const long: readonly Schedule[] = [
  directed('to-a-group-of-one-hour', clients(4), [...starts(3, 0), start(3_600_000, 3)], calm(2)),
  directed('hundred-at-once', clients(100), starts(100, 0), { ...calm(2), partitionCount: 12 }),
]

export const directedSchedules: readonly Schedule[] = [...coming, ...going, ...odd, ...long]
