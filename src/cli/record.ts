import { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { type SurroundingsError, UsageError } from '../errors.ts'
import { type Address, addressText } from '../recorder/addresses.ts'
import { formatConversation } from '../recorder/conversation.ts'
import { Observer } from '../recorder/findings.ts'
import { startProxy } from '../recorder/proxy.ts'
import { captureFormats, createCapture, readRecording } from '../recorder/transcript.ts'
import type { Io } from './io.ts'
import { watchSignals } from './signals.ts'
import { parseChoice, refuse } from './values.ts'

/** `bench record`: a decoding proxy between any client and any broker; `bench record show` prints what it kept. */

interface RecordFlags {
  upstream?: string
  listen: string
  output?: string
  format: string
}

const examples = `
Clients connect to --listen in place of the broker; Ctrl-C ends the recording.

Examples:
  bench record --upstream broker:9092 --listen 127.0.0.1:9192 -o session.jsonl
  bench record show session.jsonl            the conversation, with what a client chokes on marked
  bench diff good.jsonl bad.jsonl            where two recordings of one scenario part
  bench record --upstream broker:9092 -o session.pcapng --format pcapng
  tshark -r session.pcapng -d tcp.port==9092,kafka

Exit codes: 0 ended by Ctrl-C with the file complete, 2 usage, 3 port taken, broker unreachable or file not writable.`

/** IPv6 in brackets. */
const parseAddress = (option: string, text: string, minPort: number): Address => {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits ?? Number.NaN)
  const host = bracketed ?? plain
  return host !== undefined && port >= minPort && port <= 65_535
    ? { host, port }
    : refuse(option, text, 'HOST:PORT is allowed, such as 127.0.0.1:9092')
}

const needed = (option: string, value: string | undefined): string => {
  if (value === undefined || value === '') throw new UsageError(`--${option}: a value is needed`)
  return value
}

const record = async (flags: RecordFlags, io: Io): Promise<void> => {
  const upstream = parseAddress('upstream', needed('upstream', flags.upstream), 1)
  const listen = parseAddress('listen', flags.listen, 0)
  const format = parseChoice('format', flags.format, captureFormats)
  const file = needed('output', flags.output)
  if (addressText(upstream) === addressText(listen)) {
    refuse('listen', flags.listen, 'another address than that of --upstream is allowed')
  }
  const stop = watchSignals()
  let failure: SurroundingsError | null = null
  try {
    const failed = new AbortController()
    const onFailure = (error: SurroundingsError): void => {
      failure = error
      failed.abort()
    }
    const startedMs = systemClock.epochMs()
    const clock = systemClock
    const capture = createCapture({ file, format, upstream, clock, startedMs, onFailure })
    const observer = new Observer()
    const proxy = await startProxy({ upstream, listen, clock, sink: capture.sink, observer })
    const at = addressText(proxy.listening)
    io.stderr.write(`recording ${addressText(upstream)} on ${at} to ${file}; Ctrl-C ends it\n`)
    const ended = AbortSignal.any([stop.signal, failed.signal])
    if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve))
    await proxy.close()
    await capture.close()
    const { exchanges, marked } = capture.counts()
    const hint = format === 'jsonl' ? `; read it with: bench record show ${file}` : ''
    io.stderr.write(`${exchanges} exchanges, ${marked} with findings${hint}\n`)
  } finally {
    stop.dispose()
  }
  if (failure !== null) throw failure
}

/** Throws `BenchError`s. */
export const recordCommand = (io: Io): Command => {
  const command = new Command('record')
    .description('a proxy that decodes what clients and a broker say, and marks what is wrong')
    .option('--upstream <host:port>', 'the broker to record')
    .option(
      '--listen <host:port>',
      'where clients connect; other brokers take the ports after it',
      '127.0.0.1:9192',
    )
    .option('-o, --output <file>', 'the file to write')
    .option('--format <format>', captureFormats.join(', '), 'jsonl')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
    .action((flags: RecordFlags) => record(flags, io))
  command
    .command('show')
    .description('a readable conversation per connection')
    .argument('<file>', 'JSON lines of bench record')
    .allowExcessArguments(false)
    .action((file: string) => void io.stdout.write(formatConversation(readRecording(file))))
  return command
}
