/**
 * Requests of every version that broker and bench share, asked at the end of a story and held against what is known by
 * then. They go through the recording, so that bytes that cannot be read are told by their field.
 */

import type { ConnectionOptions, PartitionWatermarks } from '../clients/driver.ts'
import { Cluster } from '../clients/wire/cluster.ts'
import type { Connection } from '../clients/wire/connection.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Api } from '../protocol/api.ts'
import { api } from '../protocol/api.ts'
import { fetch } from '../protocol/messages/fetch.ts'
import { listOffsets } from '../protocol/messages/list-offsets.ts'
import { offsetCommit } from '../protocol/messages/offset-commit.ts'
import { offsetFetch } from '../protocol/messages/offset-fetch.ts'
import { hasValidCrc, wholeBatchSize } from '../protocol/record-batch.ts'
import { array, int16, int32, int64, string } from '../protocol/schema.ts'
import { struct } from '../protocol/struct.ts'
import type { Check } from '../results/result.ts'
import type { ProbeName } from './schema.ts'

export interface ProbeParts {
  readonly connection: ConnectionOptions
  readonly clock: Clock
  readonly topic: string
  readonly groupId: string
  readonly watermarks: readonly PartitionWatermarks[]
  readonly committed: ReadonlyMap<number, number>
  /** Read through another codec than ours. */
  readonly committedOf: (groupId: string) => Promise<ReadonlyMap<number, number>>
}

interface Probe extends ProbeParts {
  readonly leader: Connection
  readonly coordinator: Connection
}

/** Version 0 answers a list of offsets (KIP-79 did away with it), so it is a message of its own. */
const listOffsetsV0 = api({
  key: 2,
  name: 'ListOffsets',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: null,
  request: struct({
    replicaId: int32,
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partitionIndex: int32, timestamp: int64, maxNumOffsets: int32 }),
        ),
      }),
    ),
  }),
  response: struct({
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({ partitionIndex: int32, errorCode: int16, oldStyleOffsets: array(int64) }),
        ),
      }),
    ),
  }),
})

const latest = -1
const earliest = -2
/** From here on topics are named by id. */
const lastFetchByName = 12

const versionsOf = (connection: Connection, one: Api, last = one.maxVersion): number[] => {
  const all = Array.from({ length: last + 1 }, (_, version) => version)
  return all.filter((version) => {
    try {
      return version >= one.minVersion && connection.versionOf(one, version) === version
    } catch {
      return false
    }
  })
}

/** What differs, by partition. */
const differences = (
  what: string,
  expected: ReadonlyMap<number, number>,
  actual: ReadonlyMap<number, number>,
): string[] =>
  Array.from(expected, ([partition, offset]) =>
    actual.get(partition) === offset
      ? ''
      : `${what}, partition ${partition}: ${actual.get(partition) ?? 'no answer'} instead of ${offset}`,
  ).filter((text) => text !== '')

/** Asks by each version; an answer that cannot be read is a fault. */
const eachVersion = async (
  one: Api,
  versions: readonly number[],
  ask: (version: number) => Promise<string[]>,
): Promise<string[]> => {
  const faults: string[] = []
  for (const version of versions) {
    const found = await ask(version).catch((error: unknown) => [messageOf(error)])
    faults.push(...found.map((fault) => `${one.name} v${version}: ${fault}`))
  }
  return faults
}

const partitionsOf = ({ watermarks }: Probe): number[] =>
  watermarks.map(({ partition }) => partition)

const probeListOffsets = async (probe: Probe): Promise<string[]> => {
  const { leader, topic, watermarks } = probe
  const expected = (timestamp: number): Map<number, number> =>
    new Map(watermarks.map((one) => [one.partition, timestamp === latest ? one.high : one.low]))
  const faults: string[] = []
  for (const timestamp of [earliest, latest]) {
    const what = timestamp === latest ? 'latest' : 'earliest'
    const asked = partitionsOf(probe).map((partitionIndex) => ({ partitionIndex, timestamp }))
    const ask = async (maxVersion: number): Promise<string[]> => {
      const body = { replicaId: -1, isolationLevel: 0, timeoutMs: 10_000 }
      const topics = [{ name: topic, partitions: asked }]
      const answer = await leader.request(listOffsets, { ...body, topics }, { maxVersion })
      const told = answer.topics.flatMap(({ partitions }) => partitions)
      const offsets = new Map(told.map((one) => [one.partitionIndex, one.offset]))
      return differences(what, expected(timestamp), offsets)
    }
    const askV0 = async (): Promise<string[]> => {
      const partitions = asked.map((one) => ({ ...one, maxNumOffsets: 1 }))
      const body = { replicaId: -1, topics: [{ name: topic, partitions }] }
      const answer = await leader.request(listOffsetsV0, body)
      const told = answer.topics.flatMap((one) => one.partitions)
      const offsets = new Map(told.map((one) => [one.partitionIndex, one.oldStyleOffsets[0] ?? -1]))
      return differences(what, expected(timestamp), offsets)
    }
    faults.push(...(await eachVersion(listOffsets, versionsOf(leader, listOffsetsV0), askV0)))
    faults.push(...(await eachVersion(listOffsets, versionsOf(leader, listOffsets), ask)))
  }
  return faults
}

const probeOffsetFetch = (probe: Probe): Promise<string[]> => {
  const { coordinator, groupId, topic: name, committed } = probe
  const ask = async (version: number, isAll: boolean): Promise<string[]> => {
    const topics = isAll ? null : [{ name, partitionIndexes: partitionsOf(probe) }]
    const answer = await coordinator.request(
      offsetFetch,
      { groupId, topics, groups: [{ groupId, topics }] },
      { maxVersion: version },
    )
    const told = answer.groups[0]?.topics ?? answer.topics
    const own = told.filter((one) => one.name === name).flatMap(({ partitions }) => partitions)
    const offsets = new Map(own.map((one) => [one.partitionIndex, one.committedOffset]))
    return differences(isAll ? 'all partitions' : 'listed', committed, offsets)
  }
  return eachVersion(offsetFetch, versionsOf(coordinator, offsetFetch), async (version) => [
    ...(await ask(version, false)),
    ...(version >= 2 ? await ask(version, true) : []),
  ])
}

const probeOffsetCommit = (probe: Probe): Promise<string[]> => {
  const { coordinator, groupId, topic: name, committedOf } = probe
  return eachVersion(offsetCommit, versionsOf(coordinator, offsetCommit), async (version) => {
    const wanted = new Map(partitionsOf(probe).map((one) => [one, 1 + version * 10 + one]))
    const partitions = Array.from(wanted, ([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: null,
    }))
    // A group of its own, without members: the story's commits stay what they are.
    const group = `${groupId}-probe`
    const answer = await coordinator.request(
      offsetCommit,
      { groupId: group, memberId: '', topics: [{ name, partitions }] },
      { maxVersion: version },
    )
    const errors = answer.topics
      .flatMap((topic) => topic.partitions)
      .filter(({ errorCode }) => errorCode !== 0)
      .map(({ partitionIndex, errorCode }) => `partition ${partitionIndex}: error ${errorCode}`)
    return [...errors, ...differences('read back', wanted, await committedOf(group))]
  })
}

/** Batches whose checksum is not that of their bytes. */
const brokenBatches = (records: Buffer): number => {
  let broken = 0
  for (let start = 0; ; ) {
    const size = wholeBatchSize(records, start)
    if (typeof size === 'string') return broken
    if (!hasValidCrc(records, start, size)) broken += 1
    start += size
  }
}

const probeFetch = (probe: Probe): Promise<string[]> => {
  const { leader, topic, watermarks } = probe
  const versions = versionsOf(leader, fetch, lastFetchByName)
  const asked = watermarks.map(({ partition, low }) => ({
    partition,
    fetchOffset: low,
    partitionMaxBytes: 65_536,
  }))
  return eachVersion(fetch, versions, async (version) => {
    const body = { maxWaitMs: 100, minBytes: 1, topics: [{ topic, partitions: asked }] }
    const answer = await leader.request(fetch, body, { maxVersion: version })
    const told = answer.responses.flatMap(({ partitions }) => partitions)
    const highs = new Map(told.map((one) => [one.partitionIndex, one.highWatermark]))
    const broken = told.flatMap(({ partitionIndex, records }) => {
      const count = records === null ? 0 : brokenBatches(records)
      return count === 0 ? [] : [`partition ${partitionIndex}: ${count} batches with a wrong CRC`]
    })
    const expected = new Map(watermarks.map(({ partition, high }) => [partition, high]))
    return [...broken, ...differences('high watermark', expected, highs)]
  })
}

const probes: Readonly<Record<Exclude<ProbeName, 'pace'>, (probe: Probe) => Promise<string[]>>> = {
  'list-offsets': probeListOffsets,
  'offset-fetch': probeOffsetFetch,
  'offset-commit': probeOffsetCommit,
  fetch: probeFetch,
}

const maxListed = 4

const checkOfProbe = (name: ProbeName, faults: readonly string[]): Check => {
  const rest = faults.length > maxListed ? [`${faults.length - maxListed} more`] : []
  const actual = [...faults.slice(0, maxListed), ...rest].join('; ')
  const expected = 'the same by every version'
  const ok = faults.length === 0
  return { name: `probe-${name}`, ok, expected, actual: ok ? expected : actual }
}

/** Of a topic whose partitions all have one leader; others are not asked. Never rejects. */
export const askProbes = async (
  names: readonly ProbeName[],
  parts: ProbeParts,
): Promise<Check[]> => {
  const checks: Check[] = []
  for (const name of names) {
    if (name === 'pace') continue
    let cluster: Cluster | null = null
    try {
      const { connection, clock, topic, groupId } = parts
      // A new one for each: a connection ends with the first answer that cannot be read.
      cluster = await Cluster.open(connection, clock, { topics: [topic] })
      const [leaderId = -1] = [...cluster.leadersOf(topic).values()].map((one) => one.leaderId)
      const leader = await cluster.connectionTo(leaderId, 'control')
      const coordinator = await cluster.coordinatorOf(groupId)
      checks.push(checkOfProbe(name, await probes[name]({ ...parts, leader, coordinator })))
    } catch (error) {
      checks.push(checkOfProbe(name, [messageOf(error)]))
    } finally {
      cluster?.close()
    }
  }
  return checks
}
