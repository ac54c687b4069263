/**
 * The scenario file: a topic, records, members on a timeline, faults, and what must hold at the end. Each field says in
 * its description what it is for; docs/SCENARIOS.md is held against them.
 */
import { z } from 'zod'
import { durationOf } from '../duration.ts'
import { checkNames } from './check-names.ts'
import { memberClients } from './member-clients.ts'
import { scriptSchema } from './member-protocol.ts'

const maxDurationMs = 24 * 3_600_000

/** Text such as `500ms` in the file, ms after parsing. */
const duration = z
  .string()
  .meta({ format: 'time' })
  .transform((text, context) => {
    const durationMs = durationOf(text)
    if (durationMs !== null && durationMs <= maxDurationMs) return durationMs
    context.addIssue({
      code: 'custom',
      message: 'a time with its unit is allowed, such as 0s, 500ms, 30s or 5m',
    })
    return z.NEVER
  })

const count = z.int().min(0).max(100_000_000)
const memberName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, 'a name of a-z, 0-9 and - is allowed, such as a or worker-1')
const someMembers = z.union([memberName.transform((name) => [name]), z.array(memberName).min(1)])
const check = z.enum(checkNames).meta({ title: 'check' })
const assignor = z.enum(['range', 'round-robin', 'cooperative-sticky'])

const topicSchema = z.strictObject({
  partitions: z.int().min(1).max(1_000).default(3).describe('partitions of the fresh topic'),
  oldRecords: count
    .default(0)
    .describe('records that another run has left on the topic; they must be told apart'),
})

const produceSchema = z
  .strictObject({
    records: count.min(1).nullable().default(null).describe('exactly so many records'),
    duration: duration.nullable().default(null).describe('or as many as go in this time'),
    size: z.int().min(0).max(1_000_000).default(256).describe('bytes of a record value'),
    concurrency: z.int().min(1).max(10_000).default(64).describe('records in flight'),
    rate: z.number().positive().nullable().default(null).describe('records per second; open loop'),
    when: z
      .enum(['before', 'during', 'told'])
      .default('before')
      .describe('before the first member starts, from then on, or at the step that says so'),
  })
  .refine(({ records, duration: time }) => records !== null || time !== null, {
    message: 'records or duration is needed',
  })

const groupSchema = z.strictObject({
  session: duration.default(6_000).describe('session timeout; at least 6s on an external broker'),
  heartbeat: duration.default(500).describe('heartbeat interval'),
  rebalance: duration.default(30_000).describe('how long a rebalance waits for a member'),
  assignor: assignor.default('range').describe('how partitions are shared out'),
  commit: z
    .enum(['auto', 'each-batch', 'manual', 'none'])
    .default('auto')
    .describe('when members commit'),
})

const memberSchema = z.strictObject({
  client: z
    .enum(memberClients)
    .nullable()
    .default(null)
    .describe('its library; without it that of --client'),
  instanceId: z.string().min(1).nullable().default(null).describe('static membership (KIP-345)'),
  session: duration.nullable().default(null).describe('instead of that of the group'),
  rebalance: duration.nullable().default(null).describe('instead of that of the group'),
  assignor: assignor.nullable().default(null).describe('instead of that of the group'),
  batchDelay: duration.default(0).describe('time that it takes for each batch'),
  script: scriptSchema
    .nullable()
    .default(null)
    .describe('what a member with client: scripted does otherwise than a library'),
})

const memberActions = ['start', 'stop', 'crash', 'restart', 'pause', 'resume', 'commit'] as const
const actions = [...memberActions, 'produce'] as const
export type MemberAction = (typeof memberActions)[number]
export type Action = (typeof actions)[number]

const stepSchema = z
  .strictObject({
    at: duration.nullable().default(null).describe('not before this time of the timeline'),
    wait: duration.nullable().default(null).describe('not before this time after the last step'),
    once: z
      .enum(['settled', 'assigned', 'drained', 'produced'])
      .nullable()
      .default(null)
      .describe(
        'not before all partitions are shared out among the live members; each of them has an assignment; all is read; all is produced',
      ),
    start: someMembers.optional().describe('starts a process for each'),
    stop: someMembers.optional().describe('they commit, leave and end'),
    crash: someMembers.optional().describe('they are killed: no LeaveGroup'),
    restart: someMembers.optional().describe('they stop, and start again at once'),
    pause: someMembers.optional().describe('their processes are stopped (SIGSTOP)'),
    resume: someMembers.optional().describe('and go on'),
    commit: someMembers.optional().describe('they commit what they have read'),
    produce: z.literal(true).optional().describe('producing begins (when: told)'),
  })
  .transform((step, context) => {
    const given = actions.filter((action) => step[action] !== undefined)
    const { at, wait, once } = step
    if (given.length > 1) {
      context.addIssue({
        code: 'custom',
        message: `one action is allowed, not ${given.join(', ')}`,
      })
    }
    if (given.length === 0 && at === null && wait === null && once === null) {
      context.addIssue({ code: 'custom', message: `one of ${actions.join(', ')} is needed` })
    }
    const action = given[0] ?? null
    const members = action === null || action === 'produce' ? [] : (step[action] ?? [])
    return { at, wait, once, action, members }
  })

const faultSchema = z.strictObject({
  api: z
    .enum(['JoinGroup', 'SyncGroup', 'Heartbeat', 'OffsetCommit', 'OffsetFetch', 'Fetch'])
    .describe('which answers'),
  members: someMembers.nullable().default(null).describe('of which members; of all without it'),
  nth: z.int().min(1).default(1).describe('from the nth such answer of a member on'),
  count: z.int().min(1).default(1).describe('so many of them'),
  drop: z.boolean().default(false).describe('the answer never arrives'),
  delay: duration.nullable().default(null).describe('it arrives so much later'),
})

const checksSchema = z.strictObject({
  skip: z.array(check).default([]).describe('checks that say nothing in this story'),
  within: duration
    .default(15_000)
    .describe('time from the start of a member to its first partition'),
  extraGenerations: z
    .int()
    .min(0)
    .default(0)
    .describe('generations beyond one per membership event that are allowed'),
  generations: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('exactly so many generations, instead of a bound'),
  perPartition: count.nullable().default(null).describe('exactly so many records per partition'),
  perMember: z
    .record(memberName, count)
    .nullable()
    .default(null)
    .describe('exactly so many records of a member, by name'),
  duplicates: z
    .enum(['none', 'allowed'])
    .nullable()
    .default(null)
    .describe('records read twice; without it allowed where the timeline has a crash or a pause'),
})

const defectSchema = z.strictObject({
  name: z.string().min(1).describe('a defect of the embedded broker (bench broker --defect)'),
  check: check.describe('the check that must fail with it'),
})

export const scenarioSchema = z.strictObject({
  title: z.string().min(1).max(100).describe('one line: what happens'),
  guards: z.string().min(1).describe('the bug that it guards against'),
  source: z.string().min(1).describe('where that bug was seen, or the rule is written'),
  long: z.boolean().default(false).describe('true: left out unless it is named, or with --long'),
  only: z
    .enum(['embedded', 'any'])
    .default('any')
    .describe('embedded: needs settings or defects that only the embedded broker has'),
  broker: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({})
    .describe("settings of the embedded broker by Kafka's names"),
  topic: topicSchema.prefault({}).describe('a fresh one, removed at the end'),
  produce: produceSchema.nullable().default(null).describe('the records; null: none'),
  group: groupSchema.prefault({}).describe('what all members share'),
  members: z.record(memberName, memberSchema.nullable()).describe('by name; {} for a usual one'),
  timeline: z.array(stepSchema).min(1).describe('steps, each after the one before it'),
  faults: z.array(faultSchema).default([]).describe('what happens to answers on their way'),
  probe: z
    .array(z.enum(['offset-fetch', 'offset-commit', 'list-offsets', 'fetch', 'pace']))
    .default([])
    .describe('what is asked at the end, by every version, and held against what is known'),
  limit: duration.default(60_000).describe('when the story ends although not all was read'),
  checks: checksSchema.prefault({}).describe('all that apply are made; here some are tuned'),
  defect: defectSchema.nullable().default(null).describe('what --prove puts into the broker'),
})

type Parsed = z.output<typeof scenarioSchema>
export type ScenarioStep = Parsed['timeline'][number]
export type ScenarioFault = Parsed['faults'][number]
export type ScenarioProduce = NonNullable<Parsed['produce']>
export type ScenarioMember = NonNullable<Parsed['members'][string]>
export type ProbeName = Parsed['probe'][number]
