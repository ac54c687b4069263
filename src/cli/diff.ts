import { Command } from 'commander'
import { diffRecordings, formatDifferences } from '../recorder/diff.ts'
import { readRecording } from '../recorder/transcript.ts'
import type { Io } from './io.ts'

/** `bench diff A B`: where two recordings of one scenario part. */

const examples = `
Ids, times, addresses and member ids are compared by role, not by value. Fetch and Heartbeat, which are asked as often as
time allows, are compared by what they led to.

Examples:
  bench diff kafka.jsonl mine.jsonl

Exit codes: 0 no difference, 1 differences, 2 usage.`

/** Throws `UsageError` for a file that is no recording. */
export const diffCommand = (io: Io, end: (exitCode: number) => void): Command =>
  new Command('diff')
    .description('two recordings of one scenario, field by field')
    .argument('<a>', 'a recording, JSON lines of bench record')
    .argument('<b>', 'the other')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
    .action((a: string, b: string) => {
      const differences = diffRecordings(readRecording(a).exchanges, readRecording(b).exchanges)
      io.stdout.write(formatDifferences(differences))
      end(differences.length === 0 ? 0 : 1)
    })
