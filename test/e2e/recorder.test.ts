import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Api, decodeResponse } from '../../src/protocol/api.ts'
import { encodeAssignment, encodeSubscription } from '../../src/protocol/consumer-protocol.ts'
import { FrameSplitter } from '../../src/protocol/framing.ts'
import { decodeResponseHeader, encodeRequestFrame } from '../../src/protocol/header.ts'
import { apis } from '../../src/protocol/messages/index.ts'
import type { Decoded, Given } from '../../src/protocol/schema.ts'
import type { Exchange, Finding } from '../../src/recorder/exchange.ts'
import { type Alter, cappedAt, startAlteringProxy, wireFaults } from '../support/altering-proxy.ts'
import { bench, makeFolder, type Running, start, until } from './bin.ts'

/** The encoding bugs that clients have met, made on the wire and named by `bench record` in a real client's session. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const { folder, remove } = makeFolder()
let broker: Running
let brokerPort = 0
const closing: (() => unknown)[] = []

const portIn = (text: string): number => Number(/127\.0\.0\.1:(\d+)/.exec(text)?.[1] ?? 0)

beforeAll(async () => {
  const settings = ['group.initial.rebalance.delay.ms=0', 'num.partitions=3']
  const overrides = settings.flatMap((one) => ['-X', one])
  broker = start(folder, ['broker', '--port', '0', '--data-dir', 'memory', ...overrides], 300_000)
  await until('the broker', () => portIn(broker.stdout() + broker.stderr()) > 0)
  brokerPort = portIn(broker.stdout() + broker.stderr())
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})
afterAll(async () => {
  broker.child.kill('SIGINT')
  await broker.ended
  await remove()
})

/** A client's way to the broker: `bench record`, and behind it what spoils the answers. */
const record = async (name: string, alter: Alter) => {
  const altering = await startAlteringProxy(brokerPort, alter)
  closing.push(() => altering.close())
  const file = path.join(folder, `${name}.jsonl`)
  const upstream = `127.0.0.1:${altering.port}`
  const listen = ['--listen', '127.0.0.1:0']
  const running = start(folder, ['record', '--upstream', upstream, ...listen, '-o', file])
  closing.push(() => running.child.kill('SIGKILL'))
  await until('the recorder', () => running.stderr().includes(' on 127.0.0.1:'))
  const port = Number(/ on 127\.0\.0\.1:(\d+)/.exec(running.stderr())?.[1])
  return {
    port,
    /** Ends the recording; gives its findings, and what `bench record show` prints. */
    async end(): Promise<{ findings: Finding[]; shown: string }> {
      running.child.kill('SIGINT')
      const { code, stderr } = await running.ended
      expect(code, stderr).toBe(0)
      const findings = readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .flatMap((line) => (JSON.parse(line) as Partial<Exchange>).findings ?? [])
      const { stdout, code: shownCode } = await bench(folder, 'record', 'show', file)
      expect(shownCode).toBe(0)
      return { findings, shown: stdout }
    },
    /** Whether the file holds an exchange of this API that was answered with a finding. */
    hasMarked: (api: string): boolean =>
      readFileSync(file, 'utf8')
        .split('\n')
        .some((line) => line.includes(`"api":"${api}"`) && !line.includes('"findings":[]')),
  }
}

const kafkaOf = (port: number): Kafka =>
  new Kafka({ brokers: [`127.0.0.1:${port}`], clientId: 'victim', logLevel: logLevel.NOTHING })

/** A kafkajs consumer that joins, and is left alone until the recorder marked an exchange of `api`. */
const consume = async (recording: Awaited<ReturnType<typeof record>>, api: string) => {
  const kafka = kafkaOf(recording.port)
  const topic = `t-${api}`
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value: 'v' }] })
  await producer.disconnect()
  const consumer = kafka.consumer({ groupId: `g-${api}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async () => {} }).catch(() => {})
  await until(`a finding in ${api}`, () => recording.hasMarked(api))
  await consumer.disconnect().catch(() => {})
}

/** A member written by hand, for versions that kafkajs does not speak. */
class ScriptedClient {
  private readonly socket: Socket
  private readonly splitter = new FrameSplitter(1_000_000)
  private readonly frames: Buffer[] = []
  private correlationId = 0

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (chunk: Buffer) => this.frames.push(...this.splitter.push(chunk)))
  }

  /** The bytes of the answer. */
  async askBytes<A extends Api>(one: A, version: number, request: Given<A['request']>) {
    this.correlationId++
    const header = { correlationId: this.correlationId, clientId: 'victim' }
    this.socket.write(Buffer.concat(encodeRequestFrame(one, version, header, request)))
    await until(`an answer to ${one.name}`, () => this.frames.length > 0)
    return this.frames.shift() ?? Buffer.alloc(0)
  }

  async ask<A extends Api>(
    one: A,
    version: number,
    request: Given<A['request']>,
  ): Promise<Decoded<A['response']>> {
    const frame = await this.askBytes(one, version, request)
    return decodeResponse(one, version, frame, decodeResponseHeader(one, version, frame).bodyOffset)
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Joins alone, gets three partitions, commits all of them and asks for them again, both in version 8. */
const commitAndFetch = async (port: number, groupId: string) => {
  const client = new ScriptedClient(port)
  closing.push(() => client.close())
  const asking = { groupId, memberId: '' }
  const joining = {
    ...asking,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: encodeSubscription(0, { topics: ['t'] }) }],
  }
  const { memberId } = await client.ask(apis.JoinGroup, 5, joining)
  const { generationId } = await client.ask(apis.JoinGroup, 5, { ...joining, memberId })
  const owned = [{ topic: 't', partitions: [0, 1, 2] }]
  const assignment = encodeAssignment(0, { assignedPartitions: owned })
  const member = { groupId, generationId, memberId }
  await client.ask(apis.SyncGroup, 3, { ...member, assignments: [{ memberId, assignment }] })
  const partitions = [0, 1, 2].map((partitionIndex) => ({
    partitionIndex,
    committedOffset: 5,
    committedMetadata: null,
  }))
  const committed = await client.askBytes(apis.OffsetCommit, 8, {
    groupId,
    memberId,
    generationIdOrMemberEpoch: generationId,
    topics: [{ name: 't', partitions }],
  })
  const fetched = await client.ask(apis.OffsetFetch, 8, {
    groups: [{ groupId, topics: [{ name: 't', partitionIndexes: [0, 1, 2] }] }],
    requireStable: false,
  })
  return { committed, answered: fetched.groups[0]?.topics[0]?.partitions.length }
}

describe('the recorder names by itself', () => {
  it('a JoinGroup v5 answer without instance ids, met by kafkajs', async () => {
    const recording = await record('join', wireFaults['join-v5-no-instance-id'])
    await consume(recording, 'JoinGroup')
    const { findings, shown } = await recording.end()
    expect(findings[0]).toMatchObject({
      level: 'broken',
      code: 'undecodable',
      message: 'JoinGroup v5 response',
      field: expect.stringMatching(/^members\[0\]\./),
      offset: expect.any(Number),
    })
    expect(shown).toMatch(
      /!! broken: JoinGroup v5 response: members\[0\]\.\w+: .* at byte \d+.*; the bytes are those of version 4, without members\[\]\.groupInstanceId/,
    )
  })

  it('a SyncGroup success with an empty assignment, met by kafkajs', async () => {
    const recording = await record('sync', wireFaults['sync-empty-assignment'])
    await consume(recording, 'SyncGroup')
    const { findings, shown } = await recording.end()
    expect(findings[0]).toMatchObject({
      level: 'suspicious',
      code: 'empty-assignment',
      message: 'SyncGroup v3 response',
      field: 'assignment',
    })
    expect(shown).toMatch(
      /success with an empty assignment, so the member reads nothing; the leader gave this member \d+ bytes/,
    )
  })

  it('an OffsetFetch v8 answer of one partition of three', async () => {
    const recording = await record('fetch', wireFaults['offset-fetch-v8-partition-zero'])
    const { answered } = await commitAndFetch(recording.port, 'g-fetch')
    expect(answered).toBe(1)
    const { findings, shown } = await recording.end()
    expect(findings).toMatchObject([
      {
        level: 'suspicious',
        code: 'offsets-missing',
        message: 'OffsetFetch v8 response',
        field: 'groups[0].topics[0].partitions',
      },
    ])
    expect(shown).toContain("partitions 1, 2 of topic 't' asked for and not answered")
  })

  it('an OffsetCommit v8 answer that ends too early', async () => {
    const recording = await record('commit', wireFaults['offset-commit-v8-underflow'])
    const { committed } = await commitAndFetch(recording.port, 'g-commit')
    expect(committed).toHaveLength(8)
    const { findings, shown } = await recording.end()
    expect(findings).toMatchObject([
      {
        level: 'broken',
        code: 'undecodable',
        message: 'OffsetCommit v8 response',
        field: 'throttleTimeMs',
        offset: 5,
      },
    ])
    expect(shown).toContain('!! broken: OffsetCommit v8 response: throttleTimeMs: ')
  })

  it('nothing in the same sessions with the broker’s own bytes', async () => {
    const recording = await record('whole', (frame) => frame)
    const { answered } = await commitAndFetch(recording.port, 'g-whole')
    expect(answered).toBe(3)
    const kafka = kafkaOf(recording.port)
    const consumer = kafka.consumer({ groupId: 'g-whole-kafkajs', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: 't', fromBeginning: true })
    const assigned = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve())
    })
    await consumer.run({ eachMessage: async () => {} })
    await assigned
    await consumer.disconnect()
    const { findings, shown } = await recording.end()
    expect(findings).toEqual([])
    expect(shown).toContain('findings: none')
    expect(shown).toContain('JoinGroup v5')
  })
})

/** Installed by `npm run conformance`; reads the same bytes as the clients that met these bugs first. */
const librdkafka = path.join(root, '.cache', 'conformance', 'bench-clients', 'librdkafka')
const hasLibrdkafka = existsSync(path.join(librdkafka, 'node_modules', 'node-rdkafka', 'build'))

describe.runIf(hasLibrdkafka)('in a session of librdkafka, the recorder names', () => {
  const capped = cappedAt(
    new Map([
      [apis.OffsetFetch.key, 8],
      [apis.OffsetCommit.key, 8],
    ]),
  )

  it.each([
    ['join-v5-no-instance-id', 'JoinGroup', 'JoinGroup v5 response', 'members[0]'],
    [
      'offset-fetch-v8-partition-zero',
      'OffsetFetch',
      'OffsetFetch v8 response',
      'groups[0].topics',
    ],
    ['offset-commit-v8-underflow', 'OffsetCommit', 'OffsetCommit v8 response', 'throttleTimeMs'],
    ['sync-empty-assignment', 'SyncGroup', 'SyncGroup v3 response', 'assignment'],
  ] as const)('%s', async (fault, api, message, field) => {
    const alter: Alter = (frame, apiKey, version) =>
      wireFaults[fault](capped(frame, apiKey, version), apiKey, version)
    const recording = await record(`librdkafka-${fault}`, alter)
    const topic = `l-${fault}`
    const producer = kafkaOf(brokerPort).producer()
    await producer.connect()
    const messages = [0, 1, 2].map((partition) => ({ partition, value: 'v' }))
    await producer.send({ topic, messages })
    await producer.disconnect()
    const home = path.join(folder, fault)
    mkdirSync(home)
    symlinkSync(path.join(librdkafka, 'node_modules'), path.join(home, 'node_modules'))
    const args = ['--mode', 'consume', '--client', 'librdkafka', '-t', topic]
    const brokers = ['--bootstrap-servers', `127.0.0.1:${recording.port}`]
    const running = start(home, [...args, ...brokers, '--consumer-group', topic, '--no-save'])
    const hasEnded = (): boolean => running.child.exitCode !== null
    await until(`a finding in ${api}`, () => recording.hasMarked(api) || hasEnded())
    running.child.kill('SIGKILL')
    const { stderr } = await running.ended
    expect(recording.hasMarked(api), stderr).toBe(true)
    const { findings } = await recording.end()
    expect(findings[0]).toMatchObject({ message, field: expect.stringContaining(field) })
  })
})

describe('a capture', () => {
  it('that is there stays when no recording begins', async () => {
    const file = path.join(folder, 'precious.jsonl')
    writeFileSync(file, 'precious\n')
    const { code, stderr } = await bench(
      folder,
      ...['record', '--upstream', '127.0.0.1:1', '--listen', '127.0.0.1:0', '-o', file],
    )
    expect(code).toBe(3)
    expect(stderr).toContain("--upstream '127.0.0.1:1': cannot be reached")
    expect(readFileSync(file, 'utf8')).toBe('precious\n')
    const taken = await bench(
      folder,
      ...['record', '--upstream', `127.0.0.1:${brokerPort}`],
      ...['--listen', `localhost:${brokerPort}`, '-o', file],
    )
    expect(taken.code).toBe(3)
    expect(taken.stderr).toContain('the port is taken')
    expect(readFileSync(file, 'utf8')).toBe('precious\n')
  })
})
