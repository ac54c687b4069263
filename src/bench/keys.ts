/** Which key and which partition a record gets. bench chooses the partition itself, so that every client does the same. */
import type { KeyPattern } from './options.ts'
import { createRandom, type Random } from './random.ts'

const zipfKeys = 10_000
const zipfExponent = 0.99

/** Chooses record by record, without end. */
export interface Placement {
  /** Moves on to the next record and returns its partition. */
  next(): number
  /** Key of the record that `next` moved to; null when the run has no keys. */
  readonly key: Buffer | null
}

export interface PlacementOptions {
  readonly keyPattern: KeyPattern
  readonly seed: number
  readonly partitionCount: number
  /** So often in a row a sticky partitioner chooses the same partition; null or not given: round robin. */
  readonly stickyTurns?: number | null
}

/**
 * Without keys round robin from partition 0, or sticky; with keys by `partitionOf`. `random` is `key-<u64>`, `sequential`
 * `key-<n>` from 0, `fixed` one key, `zipf` `key-<rank>` of 10,000 keys with exponent 0.99 (YCSB's).
 */
export const createPlacement = (options: PlacementOptions): Placement => {
  const { keyPattern, partitionCount, stickyTurns = null } = options
  const random = createRandom(options.seed, 2)
  switch (keyPattern) {
    case 'none':
      return stickyTurns === null
        ? roundRobin(partitionCount)
        : sticky(random, partitionCount, stickyTurns)
    case 'fixed': {
      const key = Buffer.from('key-0')
      const partition = partitionOf(key, partitionCount)
      return { key, next: () => partition }
    }
    case 'random':
      return new KeyedPlacement(partitionCount, () => `key-${nextU64(random)}`)
    case 'sequential': {
      let count = 0
      return new KeyedPlacement(partitionCount, () => `key-${count++}`)
    }
    case 'zipf':
      return zipf(random, partitionCount)
    default:
      return keyPattern satisfies never
  }
}

/** Kafka's partition of a key. Source: BuiltInPartitioner.partitionForKey (org.apache.kafka.clients.producer). */
export const partitionOf = (key: Uint8Array, partitionCount: number): number =>
  (murmur2(key) & 0x7fffffff) % partitionCount

/** 32-bit signed. Source: org.apache.kafka.common.utils.Utils.murmur2. */
export const murmur2 = (data: Uint8Array): number => {
  const multiplier = 0x5bd1e995
  const { length } = data
  const tail = length & ~3
  let hash = 0x9747b28c ^ length
  for (let at = 0; at < tail; at += 4) {
    let word =
      (data[at] as number) |
      ((data[at + 1] as number) << 8) |
      ((data[at + 2] as number) << 16) |
      ((data[at + 3] as number) << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  if (tail < length) {
    for (let at = tail; at < length; at += 1) hash ^= (data[at] as number) << (8 * (at - tail))
    hash = Math.imul(hash, multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

const nextU64 = (random: Random): bigint =>
  (BigInt(random.nextU32()) << 32n) | BigInt(random.nextU32())

const roundRobin = (partitionCount: number): Placement => {
  let last = -1
  return {
    key: null,
    next() {
      last = last + 1 === partitionCount ? 0 : last + 1
      return last
    },
  }
}

/**
 * Fills a batch of one partition, then chooses any partition for the next: larger batches than round robin, at the cost of
 * an even spread over a short time. Source: KIP-794, BuiltInPartitioner (org.apache.kafka.clients.producer).
 */
const sticky = (random: Random, partitionCount: number, turns: number): Placement => {
  let partition = 0
  let left = 0
  return {
    key: null,
    next() {
      if (left === 0) {
        partition = random.nextU32() % partitionCount
        left = turns
      }
      left -= 1
      return partition
    },
  }
}

class KeyedPlacement implements Placement {
  key: Buffer = Buffer.alloc(0)
  readonly #partitionCount: number
  readonly #nextText: () => string

  constructor(partitionCount: number, nextText: () => string) {
    this.#partitionCount = partitionCount
    this.#nextText = nextText
  }

  next(): number {
    this.key = Buffer.from(this.#nextText(), 'latin1')
    return partitionOf(this.key, this.#partitionCount)
  }
}

/** Keys, their partitions and their summed weights are made once. */
const zipf = (random: Random, partitionCount: number): Placement => {
  const keys = Array.from({ length: zipfKeys }, (_, rank) => Buffer.from(`key-${rank}`, 'latin1'))
  const partitions = keys.map((key) => partitionOf(key, partitionCount))
  const sums = new Float64Array(zipfKeys)
  let sum = 0
  for (let rank = 0; rank < zipfKeys; rank += 1) {
    sum += 1 / (rank + 1) ** zipfExponent
    sums[rank] = sum
  }
  const placement = {
    key: keys[0] as Buffer,
    next(): number {
      const wanted = random.nextFraction() * sum
      let low = 0
      let high = zipfKeys - 1
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((sums[middle] as number) <= wanted) low = middle + 1
        else high = middle
      }
      placement.key = keys[low] as Buffer
      return partitions[low] as number
    },
  }
  return placement
}
