#!/usr/bin/env node
import { main } from '../src/cli/main.ts'

process.exitCode = await main(process.argv.slice(2))
// A native client may hold the process long after its run: librdkafka waits a minute for a broker that is gone.
setTimeout(() => process.exit(), 3_000).unref()
