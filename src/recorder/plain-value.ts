import {
  assignment,
  decodeAssignment,
  decodeSubscription,
  subscription,
} from '../protocol/consumer-protocol.ts'
import {
  baseOffsetOf,
  isControl,
  nextOffsetOf,
  recordCountOf,
  wholeBatchSize,
} from '../protocol/record-batch.ts'
import type { AnyCodec } from '../protocol/schema.ts'
import { WireError } from '../protocol/wire.ts'
import type { Plain, PlainObject } from './exchange.ts'

/** Decoded messages as plain values: record data as counts and offsets, group blobs decoded, other bytes as hexadecimal. */

const maxHexBytes = 1_024

/** `opaque` is hexadecimal of at most the first KiB. */
export const plainBytes = (bytes: Buffer): PlainObject => ({
  opaque: bytes.toString('hex', 0, maxHexBytes),
  sizeBytes: bytes.length,
})

/** Batches of magic 2; what follows them (an older format, a batch that is cut off) is `otherBytes`. */
const summariseRecords = (bytes: Buffer): PlainObject => {
  let batches = 0
  let controlBatches = 0
  let records = 0
  let firstOffset: number | null = null
  let nextOffset: number | null = null
  let start = 0
  while (start < bytes.length) {
    const size = wholeBatchSize(bytes, start)
    if (typeof size === 'string') break
    batches++
    if (isControl(bytes, start)) controlBatches++
    records += recordCountOf(bytes, start)
    firstOffset ??= baseOffsetOf(bytes, start)
    nextOffset = nextOffsetOf(bytes, start)
    start += size
  }
  const otherBytes = bytes.length - start
  return {
    batches,
    controlBatches,
    records,
    firstOffset,
    nextOffset,
    sizeBytes: bytes.length,
    otherBytes,
  }
}

/** A group blob of the consumer protocol; opaque when it is none. */
const plainBlob = (
  blob: Buffer,
  codec: AnyCodec,
  decode: (blob: Buffer) => { version: number; value: object },
): Plain => {
  try {
    const { version, value } = decode(blob)
    return { version, ...plainOf(value, codec, version), sizeBytes: blob.length }
  } catch (error) {
    if (error instanceof WireError) return plainBytes(blob)
    throw error
  }
}

const plainBuffer = (name: string, bytes: Buffer): Plain => {
  if (name === 'records') return summariseRecords(bytes)
  if (name === 'metadata') return plainBlob(bytes, subscription, decodeSubscription)
  if (name === 'assignment') return plainBlob(bytes, assignment, decodeAssignment)
  return plainBytes(bytes)
}

const plainField = (name: string, value: unknown, codec: AnyCodec, version: number): Plain => {
  if (Buffer.isBuffer(value)) return plainBuffer(name, value)
  if (Array.isArray(value)) {
    return value.map((element) => plainField(name, element, codec.element ?? codec, version))
  }
  if (typeof value === 'object' && value !== null) return plainOf(value, codec, version)
  return value as Plain
}

const fieldsByCodec = new WeakMap<AnyCodec, Map<number, [string, AnyCodec][]>>()

/** The fields that `codec` has in `version`. */
const fieldsOf = (codec: AnyCodec, version: number): [string, AnyCodec][] => {
  let versions = fieldsByCodec.get(codec)
  if (versions === undefined) {
    versions = new Map()
    fieldsByCodec.set(codec, versions)
  }
  let fields = versions.get(version)
  if (fields === undefined) {
    fields = Object.entries(codec.fields ?? {})
      .filter(([, { fromVersion, toVersion }]) => version >= fromVersion && version <= toVersion)
      .map(([name, field]) => [name, field.codec])
    versions.set(version, fields)
  }
  return fields
}

/** The fields that `codec` has in `version`; what decoding fills in for the others is left out. */
export const plainOf = (value: object, codec: AnyCodec, version: number): PlainObject => {
  const plain: PlainObject = {}
  for (const [name, fieldCodec] of fieldsOf(codec, version)) {
    const field = (value as Record<string, unknown>)[name]
    if (field !== undefined) plain[name] = plainField(name, field, fieldCodec, version)
  }
  return plain
}
