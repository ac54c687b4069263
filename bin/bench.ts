#!/usr/bin/env node
import { main } from '../src/cli/main.ts'

process.exitCode = await main(process.argv.slice(2))

// A native client may hold the process long after its run (librdkafka waits a minute for a broker that is gone), but
// a slow reader of a pipe must get all that was written.
const endWhenRead = (): void => {
  if (process.stdout.writableLength === 0) process.exit()
  setTimeout(endWhenRead, 100).unref()
}
setTimeout(endWhenRead, 3_000).unref()
