/**
 * Whether the broker is as fast as a correct one beside it: both are asked in turns, so that whatever else the machine
 * does slows both alike. Source: paired blocks in ABBA order, as `bench ab` does with whole runs.
 */

import type { ConnectionOptions } from '../clients/driver.ts'
import { Cluster } from '../clients/wire/cluster.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { fetch } from '../protocol/messages/fetch.ts'
import type { Check } from '../results/result.ts'

/** One of the two brokers: where it is, and a topic to ask for. */
export interface Paced {
  readonly connection: ConnectionOptions
  readonly topic: string
  /** The end of partition 0: nothing is there, on both sides. */
  readonly endOffset: number
}

/** Long enough that a delay of whole milliseconds, now and then, is in every block. */
const blockMs = 30
const firstRequests = 60
const leastPairs = 60
const mostPairs = 500
/** Standard deviations of a fair coin's count: so far from even, and more pairs would not change the verdict. */
const certainty = 3
const slowest = 1.05
const maxVersion = 12

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Ratios of blocks side by side, until it is clear on which side of `slowest` most of them lie (a sign test). */
const ratiosOf = async (tested: Block, reference: Block): Promise<number[]> => {
  await tested.run(firstRequests)
  const warmNs = await reference.run(firstRequests)
  const requests = Math.ceil(firstRequests * Math.max(1, (blockMs * 1e6) / warmNs))
  const ratios: number[] = []
  let slowerCount = 0
  while (ratios.length < mostPairs) {
    const isTestedFirst = ratios.length % 2 === 0
    const first = await (isTestedFirst ? tested : reference).run(requests)
    const second = await (isTestedFirst ? reference : tested).run(requests)
    const ratio = isTestedFirst ? first / second : second / first
    ratios.push(ratio)
    if (ratio > slowest) slowerCount += 1
    const fromEven = Math.abs(2 * slowerCount - ratios.length)
    const isClear = fromEven > certainty * Math.sqrt(ratios.length)
    if (ratios.length >= leastPairs && isClear) break
  }
  return ratios
}

interface Block {
  /** Asks so many times, one after another; the time that it took in ns. */
  run(requests: number): Promise<number>
  close(): void
}

const openBlock = async ({ connection, topic, endOffset }: Paced, clock: Clock): Promise<Block> => {
  const cluster = await Cluster.open(connection, clock, { topics: [topic] })
  const leader = cluster.leadersOf(topic).get(0)
  const link = await cluster.connectionTo(leader?.leaderId ?? -1, 'data')
  const partitions = [{ partition: 0, fetchOffset: endOffset, partitionMaxBytes: 1_024 }]
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] }
  return {
    async run(requests): Promise<number> {
      const startNs = clock.nowNs()
      for (let count = 0; count < requests; count += 1) {
        await link.request(fetch, body, { maxVersion })
      }
      return clock.nowNs() - startNs
    },
    close: () => cluster.close(),
  }
}

/** Never rejects. */
export const probePace = async (tested: Paced, reference: Paced, clock: Clock): Promise<Check> => {
  const expected = `at most ${slowest} of the time of a correct broker`
  const blocks: Block[] = []
  try {
    for (const one of [tested, reference]) blocks.push(await openBlock(one, clock))
    const [a, b] = blocks as [Block, Block]
    const ratio = median(await ratiosOf(a, b))
    return { name: 'probe-pace', ok: ratio <= slowest, expected, actual: ratio.toFixed(3) }
  } catch (error) {
    return { name: 'probe-pace', ok: false, expected, actual: messageOf(error) }
  } finally {
    for (const block of blocks) block.close()
  }
}
