/** One run from its options to its result: prepare, warm up, measure, drain, verify. */
import type { Admin, ConnectionOptions, Driver } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import { DriverError, messageOf, SurroundingsError } from '../errors.ts'
import { type CalibratedWork, ceilingOf } from '../results/calibration.ts'
import type { ProgressListener } from '../results/progress.ts'
import type {
  Environment,
  Mode,
  Resources,
  RunResult,
  RunStatus,
  Warning,
} from '../results/result.ts'
import { effectiveConfig } from './config.ts'
import { runConsume } from './consume.ts'
import { limitAdmin } from './limited-admin.ts'
import { runMetadata } from './metadata.ts'
import type { RunOptions } from './options.ts'
import { runProduce } from './produce.ts'
import type { ResourceProbe } from './resource-probe.ts'
import { resourceWarnings } from './resource-warnings.ts'
import { runRoundTrip } from './round-trip.ts'
import type { RunContext, RunFigures } from './run-context.ts'
import { checkThreshold } from './thresholds.ts'
import { endsWithin } from './time-limit.ts'
import { isTopicDeleted, noTopic, prepareTopic, type RunTopic } from './topic.ts'
import type { WorkerPool } from './worker-messages.ts'

/** What a run is given besides its wish. */
export interface RunEnvironment {
  driver: Driver
  /** Called once; the run closes what it gets. */
  openAdmin: () => Promise<Admin>
  clock: Clock
  target: {
    kind: 'embedded' | 'external'
    bootstrapServers: readonly string[]
    dataDir?: string
    /** The bugs that the embedded broker has been given. */
    defect?: string | null
  }
  runId: string
  /** The command line as typed, without secrets. */
  command: string[]
  /** `broker` may be empty: the run then asks the broker. */
  environment: Environment
  onProgress: ProgressListener
  /** For `--workers` above 1. */
  workers?: WorkerPool
  /** Measures what the run costs, where somebody wants to know. */
  probe?: ResourceProbe
  /** What `bench calibrate` has measured on this machine. */
  calibrated?: readonly CalibratedWork[]
  /** First Ctrl-C: the load stops, drains at most 5 s, and what was done is checked. */
  stop: AbortSignal
  /** The broker is gone; `reason` says so (an `Error` or a text). */
  lost: AbortSignal
}

export interface RunOutcome {
  result: RunResult
  /** Why the surroundings failed mid-run (exit code 3); null when they held. */
  lost: string | null
}

const closeLimitMs = 5_000

const modes: Record<Mode, (context: RunContext) => Promise<RunFigures>> = {
  produce: runProduce,
  consume: runConsume,
  'round-trip': runRoundTrip,
  metadata: runMetadata,
}

const connectionOf = (options: RunOptions, { target }: RunEnvironment): ConnectionOptions => ({
  bootstrapServers: target.bootstrapServers,
  clientId: options.clientProperties['client.id'] ?? 'bench',
  connectTimeoutMs: options.connectTimeoutMs,
  requestTimeoutMs: options.requestTimeoutMs,
  security: options.security,
  properties: options.clientProperties,
})

/** Deletes what only this run used; what cannot be deleted is a warning. */
const cleanUp = async (
  context: RunContext,
  parts: { isTopicGone: boolean; isGroupGone: boolean },
): Promise<Warning[]> => {
  const { admin, topic, groupId } = context
  const warnings: Warning[] = []
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      const text = `${what} was not deleted: ${messageOf(error)}`
      warnings.push({ code: 'not-deleted', text, advice: 'Delete it by hand or run bench clean.' })
    }
  }
  if (parts.isGroupGone) await attempt(`group ${groupId}`, () => admin.deleteGroup(groupId))
  if (parts.isTopicGone) await attempt(`topic ${topic.name}`, () => admin.deleteTopic(topic.name))
  return warnings
}

/** A ring store, or the broker's retention, may take what the run reads or writes. */
const goneWarnings = ({ partitions }: RunFigures): Warning[] => {
  const gone = partitions.filter(({ lowBefore, lowAfter }) => lowAfter > lowBefore)
  if (gone.length === 0) return []
  const places = gone.map(({ partition, lowAfter }) => `${partition} below ${lowAfter}`)
  return [
    {
      code: 'records-gone',
      text: `the oldest records are gone, by partition and offset: ${places.join(', ')}`,
      advice: 'A ring store recycles its oldest segments; so does a broker with retention.',
    },
  ]
}

const defectWarnings = ({ target: { defect = null } }: RunEnvironment): Warning[] => {
  if (defect === null) return []
  const text = `the embedded broker has a defect: ${defect}`
  const advice = 'What is found here is the work of the defect; a broker without it is not judged.'
  return [{ code: 'defect', text, advice }]
}

const statusOf = (figures: RunFigures, stop: AbortSignal): RunStatus => {
  if (figures.lost !== null) return 'failed'
  return stop.aborted ? 'interrupted' : 'completed'
}

const assemble = (
  options: RunOptions,
  environment: RunEnvironment,
  parts: {
    context: RunContext
    figures: RunFigures
    resources: Resources | null
    startedAt: string
    broker: string
  },
): RunResult => {
  const { context, figures, resources, startedAt, broker } = parts
  const { target, stop, runId, command } = environment
  const { lost: _lost, ...measured } = figures
  const { kind, dataDir } = target
  const bootstrapServers = target.bootstrapServers.join(',')
  const result: RunResult = {
    schemaVersion: 1,
    runId,
    label: options.label,
    status: statusOf(figures, stop),
    startedAt,
    command,
    environment: { ...environment.environment, broker },
    target:
      dataDir === undefined ? { kind, bootstrapServers } : { kind, bootstrapServers, dataDir },
    config: effectiveConfig(options, {
      topic: context.topic.name,
      consumerGroup: options.mode === 'consume' ? context.groupId : options.consumerGroup,
    }),
    ...measured,
    ...(resources === null ? {} : { resources }),
  }
  const ceiling = ceilingOf(result, environment.calibrated ?? [])
  if (result.resources && ceiling !== null) result.resources.ceiling = ceiling
  result.warnings.push(
    ...defectWarnings(environment),
    ...goneWarnings(figures),
    ...resourceWarnings(result),
  )
  for (const threshold of options.failIf) result.checks.push(checkThreshold(threshold, result))
  return result
}

const isTopicNeeded = (options: RunOptions): boolean =>
  options.mode !== 'metadata' || options.topic !== null || options.createTopic

const measureOn = async (
  admin: Admin,
  options: RunOptions,
  environment: RunEnvironment,
): Promise<RunOutcome> => {
  const { driver, clock, runId, stop, lost, probe } = environment
  let resources: Resources | null = null
  const onProgress: ProgressListener = (event) => {
    if (event.type === 'phase' && event.phase === 'measure') probe?.begin()
    if (event.type === 'phase' && event.phase === 'verify') resources = probe?.end() ?? null
    environment.onProgress(event)
  }
  const startedAt = new Date(clock.epochMs()).toISOString()
  onProgress({ type: 'phase', phase: 'prepare', detail: '' })
  const broker = environment.environment.broker || (await admin.brokerVersion())
  const topic: RunTopic = isTopicNeeded(options)
    ? await prepareTopic(admin, options, runId)
    : noTopic
  const context: RunContext = {
    options,
    driver,
    admin,
    clock,
    connection: connectionOf(options, environment),
    runId,
    topic,
    groupId: options.consumerGroup ?? `bench-${runId}`,
    onProgress,
    ...(environment.workers && { workers: environment.workers }),
    stop,
    lost,
  }
  let figures: RunFigures
  try {
    figures = await modes[options.mode](context)
    resources = probe?.end() ?? resources
  } catch (error) {
    await cleanUp(context, { isTopicGone: topic.isFresh, isGroupGone: false })
    throw error
  }
  const result = assemble(options, environment, {
    context,
    figures,
    resources,
    startedAt,
    broker,
  })
  if (figures.lost === null) {
    const haveChecksHeld = result.checks.every((check) => check.ok)
    const isGroupGone =
      options.mode === 'consume' && options.consumerGroup === null && haveChecksHeld
    const isTopicGone = isTopicDeleted(topic, options, haveChecksHeld)
    result.warnings.push(...(await cleanUp(context, { isTopicGone, isGroupGone })))
  }
  return { result, lost: figures.lost }
}

/**
 * Runs once. Findings are checks and warnings of the result.
 * Throws a `UsageError` (the topic of `--create-topic` exists) or a `SurroundingsError` (no such topic, broker
 * unreachable, group busy) only before the load has begun.
 */
export const runBench = async (
  options: RunOptions,
  environment: RunEnvironment,
): Promise<RunOutcome> => {
  const { clock, lost } = environment
  const opened = await environment.openAdmin()
  const limitMs = options.connectTimeoutMs + options.requestTimeoutMs
  try {
    return await measureOn(limitAdmin(opened, clock, limitMs, lost), options, environment)
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    throw new SurroundingsError(error.message, { cause: error })
  } finally {
    await endsWithin(clock, closeLimitMs, opened.close())
  }
}
