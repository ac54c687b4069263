import { gunzipSync } from 'node:zlib'
import { int32At } from '../protocol/big-endian.ts'
import { errorCode } from '../protocol/errors.ts'
import {
  baseOffsetOf,
  baseSequenceOf,
  codecOf,
  hasProducerId,
  hasValidCrc,
  headerBytes,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  logOverheadBytes,
  maxTimestampOf,
  recordCountOf,
} from '../protocol/record-batch.ts'
import type { TopicLimits } from './topic-limits.ts'

/** What a produced batch must be like, judged by its header. Source: ProduceRequest.validateRecords, UnifiedLog, LogValidator. */

export interface RecordFault {
  readonly errorCode: number
  readonly message: string
}

const fault = (code: number, message: string): RecordFault => ({ errorCode: code, message })

const invalid = (message: string): RecordFault => fault(errorCode.INVALID_RECORD, message)

const magicPosition = 16
const legacyMinBytes = 14
const zstd = 4
const lastCodec = 4
const zstdFromVersion = 7
/** How far a gzip is tried: enough to see that it is one, little enough for a bomb. */
const triedBytes = 16 * 2 ** 20

/** Whether `records` is exactly one batch of format v2. Kafka's answers differ by how it is not. */
const formFault = (records: Buffer): RecordFault | null => {
  if (records.length < logOverheadBytes) return invalid('there is no whole record batch')
  const length = int32At(records, 8)
  if (length < legacyMinBytes) {
    return fault(errorCode.CORRUPT_MESSAGE, `a record batch cannot be ${length} bytes long`)
  }
  if (records.length <= magicPosition) return invalid('there is no whole record batch')
  const magic = records.readInt8(magicPosition)
  if (magic < 0 || magic > 2) {
    return fault(errorCode.CORRUPT_MESSAGE, `magic ${magic} is unknown`)
  }
  const size = length + logOverheadBytes
  if (size > records.length) return invalid('the record batch is longer than the records')
  if (magic < 2) return invalid(`magic ${magic} is not supported, only 2 is`)
  if (size < headerBytes) {
    return fault(errorCode.CORRUPT_MESSAGE, `a record batch cannot be ${size} bytes long`)
  }
  if (size < records.length) return invalid('only one record batch per partition is allowed')
  return null
}

const codecFault = (batch: Buffer, version: number): RecordFault | null => {
  const codec = codecOf(batch)
  if (codec > lastCodec) {
    return fault(errorCode.UNKNOWN_SERVER_ERROR, `compression codec ${codec} is unknown`)
  }
  return codec === zstd && version < zstdFromVersion
    ? fault(
        errorCode.UNSUPPORTED_COMPRESSION_TYPE,
        `zstd needs Produce v${zstdFromVersion}, this is v${version}`,
      )
    : null
}

const gzipFault = (batch: Buffer): RecordFault | null => {
  try {
    gunzipSync(batch.subarray(headerBytes), { maxOutputLength: triedBytes })
    return null
  } catch (error) {
    const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    return isLarge ? null : fault(errorCode.UNKNOWN_SERVER_ERROR, 'the gzip cannot be decoded')
  }
}

const contentFault = (batch: Buffer): RecordFault | null => {
  if (hasProducerId(batch) && baseSequenceOf(batch) < 0) {
    return invalid('a batch with a producer id needs a sequence')
  }
  if (baseOffsetOf(batch) !== 0) return invalid('the base offset of a new batch must be 0')
  if (isControl(batch)) return invalid('clients must not write control batches')
  const count = recordCountOf(batch)
  const lastOffsetDelta = lastOffsetDeltaOf(batch)
  if (count <= 0 || count !== lastOffsetDelta + 1) {
    return invalid(`${count} records do not go with a last offset delta of ${lastOffsetDelta}`)
  }
  return codecOf(batch) === 1 ? gzipFault(batch) : null
}

/** Why `records` must not be appended, or null. Decodes no record; the CRC vouches for the bytes. */
export const recordFault = (
  records: Buffer,
  limits: TopicLimits,
  request: { version: number; transactionalId: string | null },
  nowMs: number,
): RecordFault | null => {
  const malformed = formFault(records) ?? codecFault(records, request.version)
  if (malformed) return malformed
  if (isTransactional(records)) {
    return request.transactionalId === null
      ? fault(errorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'there is no transactional id')
      : fault(errorCode.INVALID_TXN_STATE, 'the partition was not added to the transaction')
  }
  if (records.length > limits.maxMessageBytes) {
    return fault(
      errorCode.MESSAGE_TOO_LARGE,
      `the batch is ${records.length} bytes, ${limits.maxMessageBytes} are allowed`,
    )
  }
  if (!hasValidCrc(records)) return fault(errorCode.CORRUPT_MESSAGE, 'the CRC is wrong')
  const unfit = contentFault(records)
  if (unfit) return unfit
  const aheadMs = maxTimestampOf(records) - nowMs
  return !limits.isLogAppendTime && aheadMs > limits.timestampAfterMaxMs
    ? fault(
        errorCode.INVALID_TIMESTAMP,
        `a timestamp is ${Math.round(aheadMs)} ms ahead, ${limits.timestampAfterMaxMs} are allowed`,
      )
    : null
}
