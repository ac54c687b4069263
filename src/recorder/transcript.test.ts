import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { systemClock } from '../clock.ts'
import { encodeRequestFrame, encodeResponseFrame } from '../protocol/header.ts'
import { apis } from '../protocol/messages/index.ts'
import { formatConversation } from './conversation.ts'
import { Observer } from './findings.ts'
import { closeExchange, openExchange } from './frame-decoder.ts'
import { type CaptureFile, type CaptureFormat, createCapture, readRecording } from './transcript.ts'

const partition = { committedOffset: 5, metadata: null, errorCode: 0 }
const header = { correlationId: 7, clientId: 'probe' }
const asked = [{ name: 't', partitionIndexes: [0, 1, 2] }]

/** An OffsetFetch v8 that asks for three partitions and is answered `count`, and a JoinGroup v5 answered as version 4. */
const messages = (count: number): [Buffer, Buffer][] => {
  const partitions = [0, 1, 2]
    .slice(0, count)
    .map((index) => ({ partitionIndex: index, ...partition }))
  const groups = [{ groupId: 'g', topics: [{ name: 't', partitions }] }]
  const fetched = { groups: [{ groupId: 'g', topics: asked }], requireStable: true }
  const join = { groupId: 'g', sessionTimeoutMs: 10_000, protocolType: 'consumer', protocols: [] }
  const members = [{ memberId: 'm', metadata: Buffer.from('00010000', 'hex') }]
  const joined = {
    errorCode: 0,
    generationId: 1,
    protocolName: 'r',
    leader: 'm',
    memberId: 'm',
    members,
  }
  return [
    [
      Buffer.concat(encodeRequestFrame(apis.OffsetFetch, 8, header, fetched)),
      Buffer.concat(encodeResponseFrame(apis.OffsetFetch, 8, 7, { groups })),
    ],
    [
      Buffer.concat(encodeRequestFrame(apis.JoinGroup, 5, header, { ...join, memberId: '' })),
      Buffer.concat(encodeResponseFrame(apis.JoinGroup, 4, 7, joined)),
    ],
  ]
}

const node = { host: '127.0.0.1', port: 9092 }

/** Plays the messages into a capture as a proxy does. */
const play = ({ sink }: CaptureFile, count: number): void => {
  const observer = new Observer()
  sink.onBegin()
  sink.onOpen({ connection: 1, atUs: 10, client: { host: '127.0.0.1', port: 40_000 }, node })
  let atUs = 100
  for (const [request, answer] of messages(count)) {
    const frame = request.subarray(4)
    const exchange = openExchange(frame, { number: 1, node: '127.0.0.1:9092' }, atUs)
    observer.onRequest(exchange)
    sink.onFrame({ connection: 1, direction: 'request', atUs, frame, exchange })
    closeExchange(exchange, answer.subarray(4), atUs + 50)
    exchange.findings.push(...observer.onAnswer(exchange))
    const seen = { connection: 1, direction: 'answer', atUs: atUs + 50 } as const
    sink.onFrame({ ...seen, frame: answer.subarray(4), exchange })
    sink.onExchange(exchange)
    atUs += 100
  }
  sink.onClose(1, 1_000)
}

const capture = async (format: CaptureFormat, count = 1): Promise<string> => {
  const file = path.join(tempFolder(), `capture.${format}`)
  const startedMs = Date.UTC(2026, 0, 1)
  const onFailure = (): void => {}
  const opened = createCapture({
    ...{ file, format, startedMs, onFailure },
    upstream: node,
    clock: systemClock,
  })
  play(opened, count)
  await opened.close()
  return file
}

describe('JSON lines', () => {
  test('come back as they were written', async () => {
    const text = readFileSync(await capture('jsonl'), 'utf8')
    expect(text).toBe(golden('recorder/offset-fetch-one-of-three.jsonl', text))
    expect(text.trim().split('\n')).toHaveLength(3)
  })

  test('of a whole answer have no finding about it', async () => {
    const text = readFileSync(await capture('jsonl', 3), 'utf8')
    expect(text).toBe(golden('recorder/offset-fetch-three.jsonl', text))
    expect(text).not.toContain('offsets-missing')
  })

  test('are printed as a conversation with the findings marked', async () => {
    const text = formatConversation(readRecording(await capture('jsonl')))
    expect(text).toBe(golden('recorder/offset-fetch-one-of-three.txt', text))
    expect(text).toContain('!! suspicious: OffsetFetch v8 response: groups[0].topics[0].partitions')
    expect(text).toContain('!! broken: JoinGroup v5 response')
  })

  test.each([
    ['', 'not a recording'],
    ['{"type":"exchange"}\n', 'not a recording'],
    ['hello\n', 'line 1'],
  ])('refuse %j', (text, message) => {
    const file = path.join(tempFolder(), 'bad.jsonl')
    writeFileSync(file, text)
    expect(() => readRecording(file)).toThrow(message)
  })

  test('that were cut off are read up to the last whole line', async () => {
    const file = await capture('jsonl')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, -20))
    expect(readRecording(file).exchanges).toHaveLength(1)
    writeFileSync(file, text.trimEnd())
    expect(readRecording(file).exchanges).toHaveLength(2)
    writeFileSync(file, `${text.slice(0, -20)}\n`)
    expect(() => readRecording(file)).toThrow('line 3')
  })

  test('are not pcapng, and not a file that is missing', async () => {
    const file = await capture('pcapng')
    expect(() => readRecording(file)).toThrow('Wireshark')
    expect(() => readRecording(`${file}.none`)).toThrow('readable')
  })

  test('cannot be written into a folder that is not there', () => {
    const file = path.join(tempFolder(), 'none', 'x.jsonl')
    const options = { file, format: 'jsonl', upstream: node, startedMs: 0, onFailure() {} } as const
    const { sink } = createCapture({ ...options, clock: systemClock })
    expect(() => sink.onBegin()).toThrow('cannot be written')
  })
})

test('pcapng holds every byte in blocks that close with their length', async () => {
  const bytes = readFileSync(await capture('pcapng'))
  const types: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const sizeBytes = bytes.readUInt32LE(at + 4)
    types.push(bytes.readUInt32LE(at))
    expect(bytes.readUInt32LE(at + sizeBytes - 4)).toBe(sizeBytes)
    at += sizeBytes
  }
  expect(types).toEqual([0x0a0d0d0a, 1, ...Array.from({ length: 10 }, () => 6)])
  for (const sent of messages(1).flat()) expect(bytes.includes(sent)).toBe(true)
})

const hasTshark = spawnSync('tshark', ['--version']).status === 0

test.runIf(hasTshark)(
  'tshark dissects pcapng as Kafka, with no retransmission and the findings as comments',
  async () => {
    const fields = ['_ws.col.Info', 'tcp.analysis.flags', 'frame.comment']
    const args = ['-r', await capture('pcapng', 3), '-o', 'tcp.check_checksum:TRUE', '-T', 'fields']
    args.push('-e', '_ws.col.Protocol', '-e', 'tcp.checksum.status', '-e', 'ip.checksum.status')
    const text = execFileSync('tshark', [...args, ...fields.flatMap((name) => ['-e', name])], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    const kafka = rows.filter(([protocol]) => protocol?.toLowerCase() === 'kafka')
    // Debian's tshark knows OffsetFetch to version 7 only, and says so.
    expect(kafka.map((row) => row[3])).toEqual([
      expect.stringContaining('Kafka OffsetFetch v8 Request'),
      expect.stringContaining('Kafka'),
      expect.stringContaining('Kafka JoinGroup v5 Request'),
      expect.stringContaining('Kafka JoinGroup v5 Response'),
    ])
    // 1 is a checksum that is right.
    expect(rows.map((row) => row[1])).toEqual(rows.map(() => '1'))
    expect(rows.map((row) => row[4] ?? '')).toEqual(rows.map(() => ''))
    expect(kafka[3]?.[5]).toContain('broken: JoinGroup v5 response')
  },
)
