/**
 * What a client can do at most on a machine, as `bench calibrate` measured it on the embedded broker. It holds for the
 * very same work in the very same place only: another message size or another Node.js has another ceiling.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ceiling, RunResult } from './result.ts'
import { list, number, oneOf, record, text } from './shape.ts'
import { writeAtomically } from './store.ts'

export interface CalibratedWork {
  measuredAt: string
  /** What must be the same for the figures to hold, as text. */
  place: string
  work: string
  /** For people: `kafkajs 2.2.4`. */
  client: string
  mode: 'produce' | 'consume'
  recordsPerSec: number
  /** CPU seconds of the client per million records. */
  clientCpuSec: number
}

interface CalibrationFile {
  schemaVersion: 1
  works: CalibratedWork[]
}

const file = record<CalibrationFile>({
  schemaVersion: oneOf(1),
  works: list(
    record<CalibratedWork>({
      measuredAt: text,
      place: text,
      work: text,
      client: text,
      mode: oneOf('produce', 'consume'),
      recordsPerSec: number,
      clientCpuSec: number,
    }),
  ),
})

/** Hidden, so that whoever reads the folder as results passes it over. */
const fileName = '.calibration.json'

const producingOptions = [
  'concurrency',
  'batchRecords',
  'batchSizeBytes',
  'lingerMs',
  'acks',
  'compression',
  'isIdempotent',
  'keyPattern',
  'partitioner',
  'payloadPattern',
  'compressibility',
  'clientProperties',
]
const consumingOptions = [
  'consumers',
  'fetchMinBytes',
  'maxPartitionFetchBytes',
  'isolation',
  'compression',
  'clientProperties',
]

const placeOf = ({ environment }: RunResult): string => {
  const { benchVersion, node, os, cpu, cores } = environment
  return `bench ${benchVersion}, node ${node}, ${os}, ${cores} × ${cpu}`
}

/** What decides how fast a client can go; null for modes that are not calibrated and runs without a record. */
const workOf = ({ config, environment, totals, partitions }: RunResult): string | null => {
  const { mode } = config
  if ((mode !== 'produce' && mode !== 'consume') || totals.records === 0) return null
  const options = mode === 'produce' ? producingOptions : consumingOptions
  return JSON.stringify({
    mode,
    client: environment.client,
    recordSizeBytes: Math.round(totals.bytes / totals.records),
    partitions: partitions.length,
    ...Object.fromEntries(options.map((name) => [name, config[name] ?? null])),
  })
}

/** Records per second, in consume from the first record on: the members' joining says nothing of the client's speed. */
const rateOf = ({ config, totals, consumers }: RunResult): number => {
  if (config.mode !== 'consume') return totals.recordsPerSec
  const beginsMs = consumers.flatMap(({ startedAtMs, firstRecordMs }) =>
    firstRecordMs === null ? [] : startedAtMs + firstRecordMs,
  )
  const readingMs = totals.elapsedMs - Math.min(...beginsMs)
  return readingMs > 0 ? (totals.records * 1_000) / readingMs : 0
}

/** Null when the run's mode is not calibrated, or when nothing was done or measured. */
export const calibratedWorkOf = (result: RunResult): CalibratedWork | null => {
  const { config, environment, resources, startedAt, totals } = result
  const work = workOf(result)
  const recordsPerSec = rateOf(result)
  if (work === null || resources === undefined || recordsPerSec === 0) return null
  return {
    measuredAt: startedAt,
    place: placeOf(result),
    work,
    client: environment.client,
    mode: config.mode as CalibratedWork['mode'],
    recordsPerSec,
    clientCpuSec: (resources.generator.cpuMs * 1_000) / totals.records,
  }
}

/** How near the run came to what was measured for the same work in the same place; null when nothing was. */
export const ceilingOf = (
  result: RunResult,
  calibrated: readonly CalibratedWork[],
): Ceiling | null => {
  const [place, work] = [placeOf(result), workOf(result)]
  const found = calibrated.find((one) => one.place === place && one.work === work)
  if (found === undefined) return null
  const { recordsPerSec } = found
  return { recordsPerSec, share: rateOf(result) / recordsPerSec }
}

const nearShare = 0.8
const outdatedShare = 1.2

/** `near`: the client was the limit. `outdated`: nobody can be so far above a ceiling that was measured well. */
export const standingOf = ({ share }: Ceiling): 'below' | 'near' | 'outdated' => {
  if (share > outdatedShare) return 'outdated'
  return share >= nearShare ? 'near' : 'below'
}

/** Of several measurements of one work the fastest: whatever disturbs a run makes it slower. */
export const fastestOf = (works: readonly CalibratedWork[]): CalibratedWork[] => {
  const fastest = new Map<string, CalibratedWork>()
  for (const one of works) {
    const key = `${one.place}\n${one.work}`
    if (one.recordsPerSec > (fastest.get(key)?.recordsPerSec ?? 0)) fastest.set(key, one)
  }
  return [...fastest.values()]
}

/** None when nothing was calibrated. A file that is not ours says nothing either: a run is worth more than its ceiling. */
export const loadCalibration = (resultsDir: string): CalibratedWork[] => {
  try {
    const content: unknown = JSON.parse(readFileSync(join(resultsDir, fileName), 'utf8'))
    return file(content, '') === null ? (content as CalibrationFile).works : []
  } catch {
    return []
  }
}

/** New figures take the place of old ones of the same work. Returns the path; throws a `SurroundingsError`. */
export const saveCalibration = (resultsDir: string, fresh: readonly CalibratedWork[]): string => {
  const isFresh = (one: CalibratedWork): boolean =>
    fresh.some(({ place, work }) => place === one.place && work === one.work)
  const kept = loadCalibration(resultsDir).filter((one) => !isFresh(one))
  const content: CalibrationFile = { schemaVersion: 1, works: [...kept, ...fresh] }
  const path = join(resultsDir, fileName)
  writeAtomically(path, `${JSON.stringify(content, null, 2)}\n`)
  return path
}
