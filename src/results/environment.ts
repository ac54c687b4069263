import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import type { Environment } from './result.ts'

/** Where a run takes place: this bench, this Node, this machine. */

const packageName = 'kafka-bench'

/** The version in package.json, found upwards from this file: it lies deeper once built. */
export const readBenchVersion = (): string => {
  for (const path of ['../../package.json', '../../../package.json']) {
    let text: string
    try {
      text = readFileSync(new URL(path, import.meta.url), 'utf8')
    } catch {
      continue
    }
    const { name, version } = JSON.parse(text) as { name?: string; version?: string }
    if (name === packageName && version !== undefined) return version
  }
  return 'unknown'
}

/** A container's limit is 0, absent or absurdly high when there is none. */
const availableMemoryBytes = (): number =>
  Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

/** `client` and `broker` are names with versions, such as `kafkajs 2.2.4`. */
export const readEnvironment = (parts: { client: string; broker: string }): Environment => ({
  benchVersion: readBenchVersion(),
  node: process.version,
  os: `${type()} ${release()} ${process.arch}`,
  cpu: cpus()[0]?.model.trim() || 'unknown',
  cores: availableParallelism(),
  memoryBytes: availableMemoryBytes(),
  client: parts.client,
  broker: parts.broker,
})
