import type { Clock } from '../../clock.ts'
import { crc32c } from '../../protocol/crc32c.ts'
import type { Defect } from './defect.ts'

/** Of the time between two answers: what took 9 ms takes 10. */
const addedShare = 1 / 9
/** Shorter spells would pass unnoticed by a client that has other answers to work on meanwhile. */
const shortestSpellNs = 10e6
/** Nothing is owed for the time that clients leave the broker idle. */
const longestGapNs = 100e6

const block = Buffer.alloc(65_536)

/** Keeps the broker busy until then; over at once on a clock that does not move by itself. */
const work = (clock: Clock, untilNs: number): void => {
  for (let nowNs = clock.nowNs(); nowNs < untilNs; ) {
    crc32c(block)
    const laterNs = clock.nowNs()
    if (laterNs === nowNs) return
    nowNs = laterNs
  }
}

/** A steady tenth of the throughput, however fast client and broker are. */
const createDrag = () => {
  let lastEndNs: number | null = null
  let owedNs = 0
  return (clock: Clock): void => {
    const beginNs = clock.nowNs()
    owedNs += Math.min(beginNs - (lastEndNs ?? beginNs), longestGapNs) * addedShare
    lastEndNs = beginNs
    if (owedNs < shortestSpellNs) return
    work(clock, beginNs + owedNs)
    lastEndNs = clock.nowNs()
    owedNs -= lastEndNs - beginNs
  }
}

/** What a comparison of two versions must find. */
export const slow: Defect = {
  name: 'slow',
  summary: 'is kept busy by nothing for a tenth of the time in which it serves Produce and Fetch',
  source: 'a steady loss of throughput of 10 %, which a comparison of versions must find',
  apply(parts) {
    const drag = createDrag()
    return {
      ...parts,
      handlers: {
        ...parts.handlers,
        Produce(request, call, broker) {
          drag(broker.clock)
          return parts.handlers.Produce(request, call, broker)
        },
        Fetch(request, call, broker) {
          drag(broker.clock)
          return parts.handlers.Fetch(request, call, broker)
        },
      },
    }
  },
}
