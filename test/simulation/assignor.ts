import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../src/protocol/consumer-protocol.ts'
import type { Assignor } from './schedule.ts'

/** How a leader shares out the partitions of one topic, and the bytes in which members speak of them. */

export interface Candidate {
  readonly memberId: string
  readonly owned: readonly number[]
}

type Shares = Map<string, number[]>

const range = (memberIds: readonly string[], partitionCount: number): Shares => {
  const floor = Math.floor(partitionCount / memberIds.length)
  const extra = partitionCount % memberIds.length
  let next = 0
  return new Map(
    memberIds.map((memberId, n) => {
      const size = floor + (n < extra ? 1 : 0)
      const partitions = Array.from({ length: size }, () => next++)
      return [memberId, partitions]
    }),
  )
}

const roundRobin = (memberIds: readonly string[], partitionCount: number): Shares => {
  const shares: Shares = new Map(memberIds.map((memberId) => [memberId, []]))
  for (let partition = 0; partition < partitionCount; partition++) {
    shares.get(memberIds[partition % memberIds.length] ?? '')?.push(partition)
  }
  return shares
}

/** Members keep what they own up to their share; what another still owns is given out a generation later (KIP-429). */
const cooperative = (candidates: readonly Candidate[], partitionCount: number): Shares => {
  const floor = Math.floor(partitionCount / candidates.length)
  let extra = partitionCount % candidates.length
  const ownerOf = new Map<number, string>()
  const shares: Shares = new Map()
  for (const { memberId, owned } of candidates) {
    const kept: number[] = []
    for (const partition of owned) {
      if (ownerOf.has(partition)) continue
      ownerOf.set(partition, memberId)
      if (kept.length < floor || (kept.length === floor && extra > 0)) kept.push(partition)
    }
    if (kept.length > floor) extra--
    shares.set(memberId, kept)
  }
  const given = new Set([...shares.values()].flat())
  for (let partition = 0; partition < partitionCount; partition++) {
    if (given.has(partition)) continue
    const lightest = [...shares].reduce((a, b) => (b[1].length < a[1].length ? b : a))
    lightest[1].push(partition)
  }
  for (const [memberId, partitions] of shares) {
    const isFree = (partition: number) => (ownerOf.get(partition) ?? memberId) === memberId
    shares.set(memberId, partitions.filter(isFree))
  }
  return shares
}

const allToOne = ([first = '', ...others]: readonly string[], partitionCount: number): Shares =>
  new Map([...range([first], partitionCount), ...others.map((each): [string, []] => [each, []])])

export const shareOut = (
  assignor: Assignor,
  candidates: readonly Candidate[],
  partitionCount: number,
): Shares => {
  const sorted = candidates.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const memberIds = sorted.map(({ memberId }) => memberId)
  if (assignor === 'cooperative-sticky') return cooperative(sorted, partitionCount)
  const eager = { range, roundrobin: roundRobin, 'all-to-one': allToOne }
  return eager[assignor](memberIds, partitionCount)
}

/** The same few values come up over and over. */
const memoized = <Key, Value>(
  keyOf: (key: Key) => string,
  make: (key: Key) => Value,
): ((key: Key) => Value) => {
  const known = new Map<string, Value>()
  return (key) => {
    const text = keyOf(key)
    let value = known.get(text)
    if (value === undefined) {
      value = make(key)
      known.set(text, value)
    }
    return value
  }
}

const onTopic = (topic: string, partitions: readonly number[]) =>
  partitions.length === 0 ? [] : [{ topic, partitions: [...partitions] }]

interface Share {
  readonly topic: string
  readonly partitions: readonly number[]
}

export const shareBytes = memoized(
  ({ topic, partitions }: Share) => `${topic} ${partitions.join(' ')}`,
  ({ topic, partitions }) =>
    encodeAssignment(0, { assignedPartitions: onTopic(topic, partitions), userData: null }),
)

/** The partitions of an assignment; none of empty bytes. */
export const partitionsIn = memoized(
  (bytes: Buffer) => bytes.toString('latin1'),
  (bytes): readonly number[] =>
    bytes.length === 0
      ? []
      : decodeAssignment(bytes).value.assignedPartitions.flatMap(({ partitions }) => partitions),
)

interface Wish {
  /** Of the consumer protocol; owned partitions are told from 1 on. */
  readonly version: number
  readonly topics: readonly string[]
  readonly owned: Share
}

export const wishBytes = memoized(
  ({ version, topics, owned }: Wish) =>
    `${version} ${topics.join(' ')}: ${owned.topic} ${owned.partitions.join(' ')}`,
  ({ version, topics, owned }) =>
    encodeSubscription(version, {
      topics: [...topics],
      userData: null,
      ownedPartitions: onTopic(owned.topic, owned.partitions),
    }),
)

export const ownedIn = memoized(
  (bytes: Buffer) => bytes.toString('latin1'),
  (bytes): readonly number[] =>
    decodeSubscription(bytes).value.ownedPartitions.flatMap(({ partitions }) => partitions),
)
