import type { Clock } from '../clock.ts'
import type { Address } from './addresses.ts'
import { type Exchange, errorCodesIn, type Finding } from './exchange.ts'
import { Observer } from './findings.ts'
import { type ProxyOptions, type RecordSink, startProxy } from './proxy.ts'

/** A recording in this process and in memory: the evidence of a run, bounded, without what says nothing about groups. */

export interface RecorderOptions {
  readonly upstream: Address
  /** Port 0, the usual one, takes a free port; further nodes of the cluster get ports of their own. */
  readonly listen: Address
  readonly clock: Clock
  /** Of each kind, those that tell and those that repeat themselves; older ones go first. */
  readonly maxExchanges?: number
  readonly faultOf?: ProxyOptions['faultOf']
}

interface NoteSeen {
  readonly connection: number
  readonly atUs: number
  readonly finding: Finding
}

export interface Recorder {
  /** Where clients connect in place of the broker. */
  readonly listening: Address
  /** On the clock of the options: the time that the recording calls 0. */
  readonly startedAtNs: number
  /** What is kept so far, in the order of the requests; requests under way are not in it. */
  exchanges(): Exchange[]
  notes(): NoteSeen[]
  /** Exchanges that were seen and are not kept, because they say nothing or are too old. */
  droppedCount(): number
  /** Ends every connection; what is kept stays. */
  close(): Promise<void>
}

const usualMaxExchanges = 20_000
/** Of those without error and finding only the number is of use. */
const dataApis = new Set(['Produce', 'Fetch', 'ListOffsets'])
/** Asked again and again; kept apart, so that they do not push out what is told once. */
const repeatedApis = new Set(['Heartbeat', 'Metadata', 'ApiVersions', 'OffsetCommit', ...dataApis])

class Bounded<Item> {
  private items: Item[] = []
  private readonly maxCount: number
  private cutCount = 0

  constructor(maxCount: number) {
    this.maxCount = maxCount
  }

  add(item: Item): void {
    this.items.push(item)
    // In strides, so that an addition costs no shift of all.
    if (this.items.length < 2 * this.maxCount) return
    this.cutCount += this.items.length - this.maxCount
    this.items = this.items.slice(-this.maxCount)
  }

  last(): Item[] {
    return this.items.slice(-this.maxCount)
  }

  goneCount(): number {
    return this.cutCount + Math.max(0, this.items.length - this.maxCount)
  }
}

class MemorySink implements RecordSink {
  private readonly telling: Bounded<Exchange>
  private readonly repeated: Bounded<Exchange>
  private readonly noted: Bounded<NoteSeen>
  private dataCount = 0

  constructor(maxExchanges: number) {
    this.telling = new Bounded(maxExchanges)
    this.repeated = new Bounded(maxExchanges)
    this.noted = new Bounded(maxExchanges)
  }

  onBegin(): void {}
  onOpen(): void {}
  onClose(): void {}
  onFrame(): void {}

  onExchange(exchange: Exchange): void {
    const { api, findings, answeredAtUs, response } = exchange
    const isMarked = findings.length > 0
    const isFine = !isMarked && answeredAtUs !== null && errorCodesIn(response).length === 0
    if (isFine && dataApis.has(api)) this.dataCount++
    else if (!isMarked && repeatedApis.has(api)) this.repeated.add(exchange)
    else this.telling.add(exchange)
  }

  onNote(connection: number, atUs: number, finding: Finding): void {
    this.noted.add({ connection, atUs, finding })
  }

  exchanges(): Exchange[] {
    return [...this.telling.last(), ...this.repeated.last()].toSorted(
      (a, b) => a.requestedAtUs - b.requestedAtUs,
    )
  }

  notes(): NoteSeen[] {
    return this.noted.last()
  }

  droppedCount(): number {
    return this.dataCount + this.telling.goneCount() + this.repeated.goneCount()
  }
}

/**
 * Records what passes between its clients and a broker, of one node or of many. Rejects with a `SurroundingsError` when
 * nobody answers upstream. TLS passes unread, so there is nothing to be had from it.
 */
export const startRecorder = async (options: RecorderOptions): Promise<Recorder> => {
  const { upstream, listen, clock, maxExchanges = usualMaxExchanges } = options
  const sink = new MemorySink(maxExchanges)
  const observer = new Observer()
  const { faultOf = () => null } = options
  const proxy = await startProxy({ upstream, listen, clock, sink, observer, faultOf })
  return {
    listening: proxy.listening,
    startedAtNs: proxy.startedAtNs,
    exchanges: () => sink.exchanges(),
    notes: () => sink.notes(),
    droppedCount: () => sink.droppedCount(),
    close: () => proxy.close(),
  }
}
