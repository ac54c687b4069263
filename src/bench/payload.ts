/** The bytes of records: bodies made before the clock starts, and a bench header on each. */
import { crc32 } from 'node:zlib'
import {
  benchHeaderName,
  type PayloadPlan,
  type RecordRun,
  type RenderedRecord,
  type ValuePlaces,
  type ValueTemplate,
} from '../clients/driver.ts'
import type { RunOptions } from './options.ts'
import { createRandom } from './random.ts'
import {
  type BenchHeader,
  createHeader,
  HeaderPatcher,
  headerSizeBytes,
  headerWindow,
  runNumberOf,
  writeHeader,
} from './record-header.ts'

const poolSizeBytes = 16 * 2 ** 20
const mostBodies = 4096

export type PayloadOptions = Pick<
  RunOptions,
  'messageSizeBytes' | 'payloadPattern' | 'payloadFile' | 'compressibility' | 'seed'
>

export interface BenchPayloadPlan extends PayloadPlan {
  /** A value is [bench header] + body, or a body alone. Rendered, that of record `sequence` is `bodies[sequence % bodies.length]`. */
  readonly bodies: readonly Buffer[]
}

/**
 * `epochOffsetUs` turns the run's clock into wall-clock time: epoch µs − monotonic µs, read once per run.
 * `render` allocates one buffer per record; a detached header's value is the shared body, not to be written to.
 */
export const createPayloadPlan = (
  options: PayloadOptions,
  identity: { runId: string; producer: number; epochOffsetUs: number },
): BenchPayloadPlan => {
  const valueSizeBytes = options.messageSizeBytes
  const isHeaderDetached = valueSizeBytes < headerSizeBytes
  const bodies = makeBodies(
    options,
    isHeaderDetached ? valueSizeBytes : valueSizeBytes - headerSizeBytes,
  )
  const bodyChecksums = Uint32Array.from(bodies, (body) => crc32(body))
  const header: BenchHeader = {
    ...createHeader(),
    run: runNumberOf(identity.runId),
    producer: identity.producer,
  }

  const write = (target: Uint8Array, start: number, run: RecordRun, index: number): void => {
    header.sequence = run.firstSequence + index
    header.intendedAtEpochUs = Math.round(
      (run.intendedAtNs[index] as number) / 1e3 + identity.epochOffsetUs,
    )
    writeHeader(target, start, header, bodyChecksums[header.sequence % bodies.length] as number)
  }

  const render = (run: RecordRun, index: number): RenderedRecord => {
    const body = bodies[(run.firstSequence + index) % bodies.length] as Buffer
    const buffer = Buffer.allocUnsafe(isHeaderDetached ? headerSizeBytes : valueSizeBytes)
    write(buffer, 0, run, index)
    if (isHeaderDetached) return { value: body, header: { name: benchHeaderName, value: buffer } }
    buffer.set(body, headerSizeBytes)
    return { value: buffer, header: null }
  }

  const template = isHeaderDetached
    ? null
    : new HeadedValues(header, bodies, bodyChecksums, identity.epochOffsetUs)
  return { bodies, render, template }
}

/**
 * The same values, in place: the checksum covers whichever body is there. A class, so that what was compiled for the plan of
 * one phase holds for that of the next.
 */
class HeadedValues implements ValueTemplate {
  readonly valueSizeBytes: number
  readonly windowStart = headerWindow.start
  readonly windowEnd = headerWindow.end
  readonly #empty: BenchHeader
  readonly #bodies: readonly Buffer[]
  readonly #bodyChecksums: Uint32Array
  readonly #epochOffsetUs: number
  readonly #patcher: HeaderPatcher

  constructor(
    { run, producer }: BenchHeader,
    bodies: readonly Buffer[],
    bodyChecksums: Uint32Array,
    epochOffsetUs: number,
  ) {
    this.valueSizeBytes = headerSizeBytes + (bodies[0] as Buffer).length
    this.#empty = { run, producer, sequence: 0, intendedAtEpochUs: 0 }
    this.#bodies = bodies
    this.#bodyChecksums = bodyChecksums
    this.#epochOffsetUs = epochOffsetUs
    this.#patcher = new HeaderPatcher(run, producer, bodyChecksums)
  }

  fill(target: Buffer, start: number, body: number): void {
    const bodies = this.#bodies
    writeHeader(target, start, this.#empty, 0)
    target.fill(0, start + headerWindow.start, start + headerWindow.end)
    target.set(bodies[body % bodies.length] as Buffer, start + headerSizeBytes)
  }

  patch(target: DataView, start: number, body: number, run: RecordRun, index: number): void {
    const checksums = this.#bodyChecksums
    const bodyChecksum = checksums[body % checksums.length] as number
    const intendedAtEpochUs = this.#epochUsOf(run.intendedAtNs[index] as number)
    this.#patcher.patch(target, start, run.firstSequence + index, intendedAtEpochUs, bodyChecksum)
  }

  patchAll(
    values: ValuePlaces,
    at: number,
    { intendedAtNs, firstSequence, count }: RecordRun,
  ): void {
    const lastNs = intendedAtNs[count - 1] as number
    for (let from = 0; from < count; ) {
      const intendedNs = intendedAtNs[from] as number
      // They ascend.
      const to = intendedNs === lastNs ? count : from + 1
      const intendedAtEpochUs = this.#epochUsOf(intendedNs)
      this.#patcher.patchAlike(values, at, { from, to, firstSequence, intendedAtEpochUs })
      from = to
    }
  }

  #epochUsOf(intendedNs: number): number {
    return Math.round(intendedNs / 1e3 + this.#epochOffsetUs)
  }
}

/** As many bodies as fit in the pool, one at least: compression meets different records within a batch. */
const makeBodies = (options: PayloadOptions, sizeBytes: number): Buffer[] => {
  const count = Math.max(
    1,
    Math.min(mostBodies, Math.floor(poolSizeBytes / Math.max(1, sizeBytes))),
  )
  const pool = Buffer.alloc(count * sizeBytes)
  fill(pool, options)
  // The rest of each body stays as the pattern made it.
  const repeatedBytes = Math.round(sizeBytes * (options.compressibility ?? 0))
  return Array.from({ length: count }, (_, index) => {
    const body = pool.subarray(index * sizeBytes, (index + 1) * sizeBytes)
    if (repeatedBytes > 0) body.fill('x', sizeBytes - repeatedBytes)
    return body
  })
}

const words =
  'the record of a partition has an offset and each member of group reads its own log in order from leader to follower while time goes by'.split(
    ' ',
  )

const fill = (pool: Buffer, options: PayloadOptions): void => {
  const random = createRandom(options.seed, 1)
  switch (options.payloadPattern) {
    case 'zeros':
      return
    case 'random':
      for (let at = 0; at + 4 <= pool.length; at += 4) pool.writeUInt32LE(random.nextU32(), at)
      for (let at = pool.length & ~3; at < pool.length; at += 1) pool[at] = random.nextU32()
      return
    case 'text':
      for (let at = 0; at < pool.length; ) {
        at += pool.write(`${words[random.nextU32() % words.length]} `, at, 'latin1')
      }
      return
    case 'file':
      if (options.payloadFile !== null && options.payloadFile.content.length > 0)
        pool.fill(options.payloadFile.content)
      return
    default:
      options.payloadPattern satisfies never
  }
}
