import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Api } from '../src/protocol/api.ts'
import { FrameSplitter } from '../src/protocol/framing.ts'
import { encodeRequestFrame } from '../src/protocol/header.ts'
import { apis } from '../src/protocol/messages/index.ts'
import { encodeBatch } from '../src/protocol/record-batch.ts'
import { type Given, zeroUuid } from '../src/protocol/schema.ts'
import { writeSection } from './document.ts'
import { spread } from './figures.ts'
import { cpuSecOf, MachineWatch, surroundings } from './machine.ts'
import { type Broker, benchBin, folder, startListening, stop } from './processes.ts'

/**
 * `npm run bench:recorder`: what `bench record` adds to a request, as one Markdown table; with `-- --write` it goes into
 * docs/RECORDER.md. The same request goes in turn to the broker, through a proxy that only passes bytes on, and through
 * the recorder, one at a time on a connection each; the difference is taken within each turn, so that other work on the
 * machine falls on all three.
 */

const [warmUpTurns, turns, rounds] = [1_500, 3_000, 5]
const plainProxyFlag = '--plain-proxy'
const topic = 't'

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Runs node on `args` until it prints a loopback address, and answers there. */
const startChild = (...args: string[]): Promise<Broker> =>
  startListening(process.execPath, args, /on 127\.0\.0\.1:(\d+)/)

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
  [plain, recorder]: readonly [Broker, Broker],
): Promise<Round> => {
  const cpuUs = ({ child }: Broker): number => cpuSecOf(child.process.pid) * 1e6
  const [plainBefore, recorderBefore] = [cpuUs(plain), cpuUs(recorder)]
  const sample = await takeTurns(clients, bytes, turns)
  return {
    sample,
    plainCpuUs: (cpuUs(plain) - plainBefore) / turns,
    recorderCpuUs: (cpuUs(recorder) - recorderBefore) / turns,
  }
}

const measure = async (children: Broker[]): Promise<string> => {
  const begin = async (...args: string[]) => {
    const child = await startChild(...args)
    children.push(child)
    return { child, port: child.port, client: new Client(child.port) }
  }
  const broker = await begin(benchBin, 'broker', '--port', '0', '--data-dir', 'memory')
  const plain = await begin(fileURLToPath(import.meta.url), plainProxyFlag, String(broker.port))
  const to = ['--upstream', `127.0.0.1:${broker.port}`, '--listen', '127.0.0.1:0']
  const recorder = await begin(benchBin, 'record', ...to, '-o', path.join(folder, 'x.jsonl'))
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

const run = async (): Promise<void> => {
  const watch = await MachineWatch.open()
  const children: Broker[] = []
  const table = await measure(children).finally(async () => {
    for (const { child } of children.toReversed()) await stop(child)
  })
  const how = `µs; median (min–max) of ${rounds} rounds of ${turns} requests each`
  const text = `${surroundings()}; ${await watch.told()}. ${how}.\n\n${table}`
  if (process.argv.includes('--write')) writeSection('RECORDER.md', 'bench:recorder', text)
  else console.log(text)
}

if (process.argv[2] === plainProxyFlag) runPlainProxy(Number(process.argv[3]))
else await run()
