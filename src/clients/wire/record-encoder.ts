/** Encodes the records of a run one after the other into one buffer that is used again. */
import { varintSize, writeVarint } from '../../protocol/varint.ts'
import type { RecordRun, RenderedRecord } from '../driver.ts'

const firstSizeBytes = 64 * 1024

export class RecordEncoder {
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstSizeBytes)
  #view: DataView = new DataView(this.#bytes.buffer)
  #end = 0

  /** The records of `run`, all of one moment. Valid until the next call. */
  encode(run: RecordRun): Buffer {
    this.#end = 0
    for (let index = 0; index < run.count; index++) this.#add(run, index)
    return this.#bytes.subarray(0, this.#end)
  }

  #add(run: RecordRun, index: number): void {
    const template = run.payload.template ?? null
    const rendered = template === null ? run.payload.render(run, index) : null
    const key = run.keys?.[index] ?? null
    const valueBytes = template?.valueSizeBytes ?? rendered?.value.length ?? 0
    const keyBytes = key?.length ?? 0
    const keyField = key === null ? -1 : keyBytes
    // Attributes and timestamp delta take one byte each.
    const fieldBytes = 2 + varintSize(index) + varintSize(keyField) + varintSize(valueBytes)
    const bodyBytes = fieldBytes + keyBytes + valueBytes + headersSize(rendered)
    this.#makeRoom(varintSize(bodyBytes) + bodyBytes)
    const bytes = this.#bytes
    let at = writeVarint(bytes, this.#end, bodyBytes)
    bytes[at++] = 0
    bytes[at++] = 0
    at = writeVarint(bytes, at, index)
    at = writeVarint(bytes, at, keyField)
    if (key !== null) bytes.set(key, at)
    at = writeVarint(bytes, at + keyBytes, valueBytes)
    if (rendered !== null) bytes.set(rendered.value, at)
    if (template !== null) {
      const body = run.firstSequence + index
      template.fill(bytes, at, body)
      template.patch(this.#view, at, body, run, index)
    }
    this.#end = writeHeaders(bytes, at + valueBytes, rendered)
  }

  #makeRoom(sizeBytes: number): void {
    const needed = this.#end + sizeBytes
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(needed)))
    this.#bytes.copy(larger, 0, 0, this.#end)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

const headersSize = (rendered: RenderedRecord | null): number => {
  const header = rendered?.header ?? null
  if (header === null) return 1
  const nameBytes = Buffer.byteLength(header.name)
  const valueBytes = header.value.length
  return 1 + varintSize(nameBytes) + nameBytes + varintSize(valueBytes) + valueBytes
}

const writeHeaders = (bytes: Buffer, from: number, rendered: RenderedRecord | null): number => {
  const header = rendered?.header ?? null
  let at = writeVarint(bytes, from, header === null ? 0 : 1)
  if (header === null) return at
  at = writeVarint(bytes, at, Buffer.byteLength(header.name))
  at += bytes.write(header.name, at)
  at = writeVarint(bytes, at, header.value.length)
  bytes.set(header.value, at)
  return at + header.value.length
}
