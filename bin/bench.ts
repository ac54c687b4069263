#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCachedScript } from '../src/cached-script.ts'
import { type BrokerProcess, main } from '../src/cli/main.ts'

/** What the build makes of the broker and of this file; they are not there where it had no bundler. */
const brokerFile = fileURLToPath(new URL('../src/cli/broker-process.cjs', import.meta.url))
/** Once what a start needs has been compiled, and no benchmark has begun. */
const keepAfterMs = 300

const loadBroker = async (): Promise<BrokerProcess> => {
  if (!existsSync(brokerFile)) return import('../src/cli/broker-process.ts')
  const { exports, isFromCache, keep } = runCachedScript(brokerFile)
  if (!isFromCache && process.execArgv.length === 0) setTimeout(keep, keepAfterMs).unref()
  return exports as BrokerProcess
}

// A native client may hold the process long after its run (librdkafka waits a minute for a broker that is gone), but
// a slow reader of a pipe must get all that was written.
const endWhenRead = (): void => {
  if (process.stdout.writableLength === 0) process.exit()
  setTimeout(endWhenRead, 100).unref()
}

void main(process.argv.slice(2), { loadBroker }).then((exitCode) => {
  process.exitCode = exitCode
  setTimeout(endWhenRead, 3_000).unref()
})
