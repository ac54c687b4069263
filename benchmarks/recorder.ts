import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Api } from '../src/protocol/api.ts'
import { FrameSplitter } from '../src/protocol/framing.ts'
import { encodeRequestFrame } from '../src/protocol/header.ts'
import { apis } from '../src/protocol/messages/index.ts'
import { encodeBatch } from '../src/protocol/record-batch.ts'
import { type Given, zeroUuid } from '../src/protocol/schema.ts'
import { readBenchVersion } from '../src/results/environment.ts'

/**
 * `npm run bench:recorder`: what `bench record` adds to a request, as one Markdown table; with `-- --write` it goes into
 * docs/RECORDER.md. The same request goes in turn to the broker, through a proxy that only passes bytes on, and through
 * the recorder, one at a time on a connection each; the difference is taken within each turn, so that other work on the
 * machine falls on all three.
 */

const bin = fileURLToPath(new URL('../bin/bench.js', import.meta.url))
const documentFile = fileURLToPath(new URL('../../docs/RECORDER.md', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'bench-recorder-'))
const [warmUpTurns, turns, rounds] = [1_500, 3_000, 5]
const plainProxyFlag = '--plain-proxy'
const topic = 't'

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Runs node on `args` until it prints a loopback address; resolves with its port. */
const startChild = (...args: string[]): Promise<{ child: ChildProcess; port: number }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    const onText = (part: Buffer): void => {
      text += part.toString()
      const port = /on 127\.0\.0\.1:(\d+)/.exec(text)?.[1]
      if (port !== undefined) resolve({ child, port: Number(port) })
    }
    child.stdout.on('data', onText)
    child.stderr.on('data', onText)
    child.on('exit', () => reject(new Error(`${args.join(' ')}: ended: ${text}`)))
  })

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.removeAllListeners('exit').on('exit', () => resolve())
    child.kill('SIGINT')
  })

/** CPU time of a process so far, in µs, in steps of 10 ms. */
const cpuUs = ({ pid }: ChildProcess): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) * 10_000
}

class Client {
  private readonly socket: Socket
  private readonly splitter = new FrameSplitter(2 ** 27)
  private take: (frame: Buffer) => void = () => {}

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (chunk: Buffer) => {
      for (const frame of this.splitter.push(chunk)) this.take(frame)
    })
  }

  ask(bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.take = resolve
      this.socket.write(bytes)
    })
  }

  close(): void {
    this.socket.destroy()
  }
}

const requestBytes = <A extends Api>(
  one: A,
  version: number,
  request: Given<A['request']>,
): Buffer =>
  Buffer.concat(encodeRequestFrame(one, version, { correlationId: 1, clientId: 'bench' }, request))

const records = encodeBatch([{ key: null, value: Buffer.alloc(256, 7), timestampMs: 1 }])
const produce = (bytes: Buffer): Buffer =>
  requestBytes(apis.Produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: bytes }] }],
  })
const fetch = requestBytes(apis.Fetch, 11, {
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 2 ** 20,
  sessionEpoch: -1,
  topics: [{ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 60_000 }] }],
})

const requests = [
  {
    what: 'Heartbeat',
    bytes: requestBytes(apis.Heartbeat, 3, { groupId: 'g', generationId: 1, memberId: 'm' }),
  },
  { what: 'Produce, one record of 256 B', bytes: produce(records) },
  { what: 'Fetch, 60 kB of records', bytes: fetch },
  {
    what: 'Metadata, whose addresses are replaced',
    bytes: requestBytes(apis.Metadata, 9, {
      topics: [{ topicId: zeroUuid, name: topic }],
      includeTopicAuthorizedOperations: false,
    }),
  },
]

/** Stands in for the recorder: passes bytes on and nothing else. */
const runPlainProxy = (upstreamPort: number): void => {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: upstreamPort, host: '127.0.0.1', noDelay: true })
    client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy())
    upstream.on('data', (chunk) => client.write(chunk)).on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`on 127.0.0.1:${(server.address() as { port: number }).port}\n`)
  })
  process.on('SIGINT', () => process.exit(0))
}

interface Sample {
  readonly directUs: number[]
  readonly plainUs: number[]
  readonly recordedUs: number[]
}

const timeUs = async (client: Client, bytes: Buffer): Promise<number> => {
  const beganMs = performance.now()
  await client.ask(bytes)
  return (performance.now() - beganMs) * 1_000
}

/** One request after the other, to each of the three in turn. */
const takeTurns = async (
  clients: readonly Client[],
  bytes: Buffer,
  count: number,
): Promise<Sample> => {
  const samples: number[][] = [[], [], []]
  for (let turn = 0; turn < count; turn++) {
    for (let i = 0; i < 3; i++) {
      const which = (turn + i) % 3
      samples[which]?.push(await timeUs(clients[which] as Client, bytes))
    }
  }
  const [directUs = [], plainUs = [], recordedUs = []] = samples
  return { directUs, plainUs, recordedUs }
}

const differences = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, i) => value - (b[i] ?? Number.NaN))

const spread = (values: readonly number[]): string => {
  const [low, middle, high] = [Math.min(...values), quantile(values, 0.5), Math.max(...values)]
  return `${middle.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`
}

interface Round {
  readonly sample: Sample
  readonly recorderCpuUs: number
  readonly plainCpuUs: number
}

const rowOf = (what: string, taken: readonly Round[]): string => {
  const of = (pick: (sample: Sample) => number): string =>
    spread(taken.map(({ sample }) => pick(sample)))
  const added = ({ recordedUs, directUs }: Sample): number[] => differences(recordedUs, directUs)
  const cells = [
    what,
    of(({ directUs }) => quantile(directUs, 0.5)),
    of((sample) => quantile(added(sample), 0.5)),
    of((sample) => mean(added(sample))),
    of(({ plainUs, directUs }) => quantile(differences(plainUs, directUs), 0.5)),
    spread(taken.map(({ recorderCpuUs }) => recorderCpuUs)),
    spread(taken.map(({ plainCpuUs }) => plainCpuUs)),
  ]
  return `| ${cells.join(' | ')} |`
}

const head = `| request | direct, p50 | the recorder adds, p50 | mean | a plain proxy adds, p50 | CPU of the recorder | of a plain proxy |
| --- | --- | --- | --- | --- | --- | --- |`

const fillTopic = async (client: Client): Promise<void> => {
  await client.ask(
    requestBytes(apis.CreateTopics, 2, {
      topics: [
        { name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
      ],
      timeoutMs: 1_000,
    }),
  )
  for (let i = 0; i < 1_000; i++) await client.ask(produce(records))
  const { length } = await client.ask(fetch)
  if (length < 55_000)
    throw new Error(`a Fetch answer of ${length} bytes; the topic was not filled`)
}

const takeRound = async (
  clients: readonly Client[],
  bytes: Buffer,
  [plain, recorder]: readonly [ChildProcess, ChildProcess],
): Promise<Round> => {
  const [plainBefore, recorderBefore] = [cpuUs(plain), cpuUs(recorder)]
  const sample = await takeTurns(clients, bytes, turns)
  return {
    sample,
    plainCpuUs: (cpuUs(plain) - plainBefore) / turns,
    recorderCpuUs: (cpuUs(recorder) - recorderBefore) / turns,
  }
}

const measure = async (children: ChildProcess[]): Promise<string> => {
  const begin = async (...args: string[]) => {
    const { child, port } = await startChild(...args)
    children.push(child)
    return { child, port, client: new Client(port) }
  }
  const broker = await begin(bin, 'broker', '--port', '0', '--data-dir', 'memory')
  const plain = await begin(fileURLToPath(import.meta.url), plainProxyFlag, String(broker.port))
  const to = ['--upstream', `127.0.0.1:${broker.port}`, '--listen', '127.0.0.1:0']
  const recorder = await begin(bin, 'record', ...to, '-o', path.join(folder, 'x.jsonl'))
  const clients = [broker, plain, recorder].map(({ client }) => client)
  await fillTopic(broker.client)
  const rows: string[] = []
  for (const { what, bytes } of requests) {
    await takeTurns(clients, bytes, warmUpTurns)
    const taken: Round[] = []
    for (let round = 0; round < rounds; round++) {
      taken.push(await takeRound(clients, bytes, [plain.child, recorder.child]))
    }
    rows.push(rowOf(what, taken))
    process.stderr.write(`${rows.at(-1)}\n`)
  }
  for (const client of clients) client.close()
  return [head, ...rows].join('\n')
}

const [openMark, closeMark] = ['<!-- bench:recorder -->', '<!-- /bench:recorder -->']

const write = (text: string): void => {
  const document = readFileSync(documentFile, 'utf8')
  const [from, to] = [document.indexOf(openMark), document.indexOf(closeMark)]
  if (from < 0 || to < from) throw new Error(`docs/RECORDER.md: no ${openMark} … ${closeMark}`)
  const before = document.slice(0, from + openMark.length)
  writeFileSync(documentFile, `${before}\n${text}\n${document.slice(to)}`)
}

const run = async (): Promise<void> => {
  const loadBefore = loadavg()[0] ?? Number.NaN
  const children: ChildProcess[] = []
  const table = await measure(children).finally(async () => {
    for (const child of children.toReversed()) await end(child)
    rmSync(folder, { recursive: true, force: true })
  })
  const machine = `${cpus()[0]?.model} × ${cpus().length}, node ${process.version}`
  const load = `load ${loadBefore.toFixed(1)} before and ${loadavg()[0]?.toFixed(1)} after`
  const how = `µs; median (min–max) of ${rounds} rounds of ${turns} requests each`
  const text = `${new Date().toISOString().slice(0, 10)}, bench ${readBenchVersion()}, ${machine}, ${load}. ${how}.\n\n${table}`
  if (process.argv.includes('--write')) write(text)
  else console.log(text)
}

if (process.argv[2] === plainProxyFlag) runPlainProxy(Number(process.argv[3]))
else await run()
