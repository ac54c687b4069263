/** Records that follow each other and are alike, checked together: a third of what it costs to parse each by itself. */
import type { BatchCursor } from '../clients/driver.ts'
import { ByteView } from './known-bodies.ts'
import type { MemberRun } from './partition-ledger.ts'
import {
  checksumAt,
  createHeader,
  headerReader,
  headerSizeBytes,
  lowByteRemainders,
  sequenceAt,
} from './record-header.ts'

/** As many as stay in the processor's nearest cache from one look at them to the next. */
const mostAtOnce = 64

/** Of the low word of a sequence. */
const lowAt = sequenceAt + 4

const shown = new ByteView()
const scratch = createHeader()
const checksums = new Int32Array(mostAtOnce)

/**
 * Enters in `run` the records after the current one, which it has observed as 'ok', that are below `toOffset` and checked
 * together; moves on to the last of them and returns how many there are.
 */
export const passAlike = (cursor: BatchCursor, run: MemberRun, toOffset: number): number => {
  const count = countFollowing(cursor, Math.min(run.ahead, toOffset - cursor.offset - 1))
  if (count === 0) return 0
  run.extend(count)
  cursor.pass(count)
  return count
}

/**
 * How many records after the current one of `cursor`, at most `most`, are 'ok', of its run and producer, due when it was,
 * and of the sequences that follow its own. To be called when its own verdict is 'ok'. 0 says nothing: parse the next one.
 */
const countFollowing = (cursor: BatchCursor, most: number): number => {
  const { bytes, valueStart, valueLength, strideBytes } = cursor
  const bodyBytes = valueLength - headerSizeBytes
  const limit = Math.min(most, mostAtOnce, cursor.mostAlike)
  if (bodyBytes <= 0 || !(limit > 0)) return 0
  shown.show(bytes)
  const { view, bodies } = shown
  const start = shown.origin + valueStart
  // Only the lowest byte of the sequence is to change.
  const wanted = Math.min(limit, 0xff - view.getUint8(start + lowAt + 3))
  const next = valueStart + strideBytes + headerSizeBytes
  const known = bodies.countNext(shown, next, bodyBytes, wanted, strideBytes, checksums)
  return known === 0 ? 0 : countInSequence(view, start, strideBytes, cursor.countAlike(known))
}

/** How many of the `count` headers after the one at `start` are of the sequences after its own, with the checksums of their bodies. */
const countInSequence = (
  view: DataView,
  start: number,
  strideBytes: number,
  count: number,
): number => {
  const first = view.getInt32(start + lowAt)
  const common =
    headerReader.read(view, start, scratch) ^
    view.getInt32(start + checksumAt) ^
    (lowByteRemainders[first & 0xff] as number)
  let right = 0
  for (let at = start + strideBytes; right < count; at += strideBytes, right += 1) {
    const sequence = first + right + 1
    const checksum =
      common ^ (lowByteRemainders[sequence & 0xff] as number) ^ (checksums[right] as number)
    const difference =
      (view.getInt32(at + lowAt) ^ sequence) | (view.getInt32(at + checksumAt) ^ checksum)
    if (difference !== 0) break
  }
  return right
}
