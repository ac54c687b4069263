import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Log } from '../src/broker/log.ts'
import { diskStore } from '../src/broker/store/disk.ts'
import { memoryStore } from '../src/broker/store/memory.ts'
import type { Store } from '../src/broker/store/store.ts'
import { crc32c } from '../src/protocol/crc32c.ts'
import { encodeBatch, hasValidCrc } from '../src/protocol/record-batch.ts'

/** Prints the speed of CRC-32C and of a log's append and read on each store, for batches of 1 and of 100 records of 256 bytes. */

const print = (name: string, bytes: number, startedAtMs: number): void => {
  const seconds = (performance.now() - startedAtMs) / 1_000
  console.log(`${name.padEnd(36)} ${(bytes / 1e6 / seconds).toFixed(0).padStart(6)} MB/s`)
}

const measureLog = (name: string, store: Store, batch: Buffer): void => {
  const log = new Log(store.openPartition('topic', 0), {
    name,
    logStartOffset: 0,
    log: console.log,
  })
  const totalBytes = 2 ** 28
  let startedAtMs = performance.now()
  for (let at = 0; at < totalBytes; at += batch.length) {
    if (!hasValidCrc(batch)) throw new Error('the CRC is wrong')
    log.append(batch, 0)
  }
  print(`${name} append, ${batch.length} B`, totalBytes, startedAtMs)
  startedAtMs = performance.now()
  let readBytes = 0
  const records = log.logEndOffset / Math.ceil(log.sizeBytes / batch.length)
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    const { length } = log.read(offset, 2 ** 20, true)
    readBytes += length
    offset += (length / batch.length) * records
  }
  print(`${name} read, ${batch.length} B`, readBytes, startedAtMs)
  log.close()
  store.close()
}

const large = Buffer.alloc(26_000, 7)
const startedAtMs = performance.now()
for (let i = 0; i < 20_000; i++) crc32c(large)
print('crc32c, 26 kB', 20_000 * large.length, startedAtMs)

for (const count of [1, 100]) {
  const record = { key: null, value: Buffer.alloc(256, 7), timestampMs: 1 }
  const batch = encodeBatch(Array.from({ length: count }, () => record))
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-store-'))
  const segmentBytes = 64 * 2 ** 20
  measureLog('disk', diskStore({ folder, segmentBytes, log: console.log }), batch)
  rmSync(folder, { recursive: true })
  measureLog('memory', memoryStore({ kind: 'memory', maxBytes: 2 ** 30, segmentBytes }), batch)
  measureLog('ring', memoryStore({ kind: 'ring', maxBytes: 2 ** 27, segmentBytes }), batch)
}
