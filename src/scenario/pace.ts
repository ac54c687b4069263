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

const blockRequests = 60
const pairs = 120
const slowest = 1.05
const maxVersion = 12

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Asks so many times, one after another, for what is not there; the time it took. */
const openBlock = async ({ connection, topic, endOffset }: Paced, clock: Clock) => {
  const cluster = await Cluster.open(connection, clock, { topics: [topic] })
  const leader = cluster.leadersOf(topic).get(0)
  const link = await cluster.connectionTo(leader?.leaderId ?? -1, 'data')
  const partitions = [{ partition: 0, fetchOffset: endOffset, partitionMaxBytes: 1_024 }]
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] }
  return {
    async run(): Promise<number> {
      const startNs = clock.nowNs()
      for (let count = 0; count < blockRequests; count += 1) {
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
  const blocks: Awaited<ReturnType<typeof openBlock>>[] = []
  try {
    for (const one of [tested, reference]) blocks.push(await openBlock(one, clock))
    const [a, b] = blocks as [(typeof blocks)[number], (typeof blocks)[number]]
    await a.run()
    await b.run()
    const ratios: number[] = []
    for (let pair = 0; pair < pairs; pair += 1) {
      const isTestedFirst = pair % 2 === 0
      const first = await (isTestedFirst ? a : b).run()
      const second = await (isTestedFirst ? b : a).run()
      ratios.push(isTestedFirst ? first / second : second / first)
    }
    const ratio = median(ratios)
    return { name: 'probe-pace', ok: ratio <= slowest, expected, actual: ratio.toFixed(3) }
  } catch (error) {
    return { name: 'probe-pace', ok: false, expected, actual: messageOf(error) }
  } finally {
    for (const block of blocks) block.close()
  }
}
