import { isIPv4 } from 'node:net'
import type { Address } from './addresses.ts'
import type { Exchange, Finding } from './exchange.ts'
import { saslAuthenticateKey } from './frame-decoder.ts'
import type { ConnectionSeen, FrameSeen, RecordSink } from './proxy.ts'

/**
 * pcapng as Wireshark and tshark read it: every frame as Ethernet, IPv4 and TCP with the sequence numbers of a real
 * connection between client and broker. Findings are packet comments. Format: draft-ietf-opsawg-pcapng.
 */

const linkTypeEthernet = 1
const maxSegmentBytes = 32 * 1024
const flags = { fin: 0x01, syn: 0x02, push: 0x08, ack: 0x10 } as const

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])

const block = (type: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(type, 0)
  head.writeUInt32LE(body.length + 12, 4)
  return Buffer.concat([head, body, head.subarray(4)])
}

const option = (code: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt16LE(code, 0)
  head.writeUInt16LE(value.length, 2)
  return Buffer.concat([head, padded(value)])
}

const sectionHeader = (): Buffer => {
  const body = Buffer.alloc(16)
  body.writeUInt32LE(0x1a2b3c4d, 0)
  body.writeUInt16LE(1, 4)
  body.writeBigInt64LE(-1n, 8)
  return block(0x0a0d0d0a, body)
}

const interfaceDescription = (): Buffer => {
  const body = Buffer.alloc(8)
  body.writeUInt16LE(linkTypeEthernet, 0)
  return block(1, body)
}

const enhancedPacket = (atUs: number, packet: Buffer, comment: string): Buffer => {
  const head = Buffer.alloc(20)
  head.writeUInt32LE(Math.floor(atUs / 2 ** 32), 4)
  head.writeUInt32LE(atUs % 2 ** 32, 8)
  head.writeUInt32LE(packet.length, 12)
  head.writeUInt32LE(packet.length, 16)
  const options =
    comment === ''
      ? Buffer.alloc(0)
      : Buffer.concat([option(1, Buffer.from(comment).subarray(0, 65_535)), Buffer.alloc(4)])
  return block(6, Buffer.concat([head, padded(packet), options]))
}

/** RFC 1071. */
const internetChecksum = (...parts: readonly Buffer[]): number => {
  let sum = 0
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] ?? 0) << 8) | (part[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum >>> 16) + (sum & 0xffff)
  return ~sum & 0xffff
}

/** An IPv4 address as it is; anything else stands as loopback. */
const addressBytes = (host: string): Buffer => {
  const text = host.replace(/^::ffff:/, '')
  return Buffer.from((isIPv4(text) ? text : '127.0.0.1').split('.').map(Number))
}

interface Segment {
  readonly from: Address
  readonly to: Address
  readonly sequence: number
  readonly acknowledged: number
  readonly flags: number
  readonly payload: Buffer
}

const ethernet = Buffer.from('0200000000020200000000010800', 'hex')

const packetOf = (segment: Segment): Buffer => {
  const { payload } = segment
  const addresses = Buffer.concat([addressBytes(segment.from.host), addressBytes(segment.to.host)])
  const tcp = Buffer.alloc(20)
  tcp.writeUInt16BE(segment.from.port, 0)
  tcp.writeUInt16BE(segment.to.port, 2)
  tcp.writeUInt32BE(segment.sequence >>> 0, 4)
  tcp.writeUInt32BE(segment.acknowledged >>> 0, 8)
  tcp.writeUInt8(5 << 4, 12)
  tcp.writeUInt8(segment.flags, 13)
  tcp.writeUInt16BE(65_535, 14)
  const pseudo = Buffer.alloc(4)
  pseudo.writeUInt16BE(6, 0)
  pseudo.writeUInt16BE(tcp.length + payload.length, 2)
  tcp.writeUInt16BE(internetChecksum(addresses, pseudo, tcp, payload), 16)
  const ip = Buffer.alloc(12)
  ip.writeUInt8(0x45, 0)
  ip.writeUInt16BE(20 + tcp.length + payload.length, 2)
  ip.writeUInt16BE(0x4000, 6)
  ip.writeUInt8(64, 8)
  ip.writeUInt8(6, 9)
  ip.writeUInt16BE(internetChecksum(ip, addresses), 10)
  return Buffer.concat([ethernet, ip, addresses, tcp, payload])
}

interface Side {
  readonly address: Address
  /** Sequence number of its next byte. */
  next: number
}

/** The frame with its size; without the body where that is a password. */
const recordedFrame = ({ frame, exchange, direction }: FrameSeen): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(frame.length)
  if (exchange?.apiKey !== saslAuthenticateKey) return Buffer.concat([size, frame])
  const keptBytes = direction === 'answer' ? 4 : 10 + Buffer.byteLength(exchange.clientId ?? '')
  const masked = Buffer.alloc(frame.length)
  frame.copy(masked, 0, 0, keptBytes)
  return Buffer.concat([size, masked])
}

export class PcapngWriter implements RecordSink {
  private readonly write: (bytes: Buffer) => void
  private readonly startedUs: number
  private readonly connections = new Map<number, { client: Side; node: Side }>()

  /** `startedMs` is the wall-clock time of what the recording calls 0. */
  constructor(write: (bytes: Buffer) => void, startedMs: number) {
    this.write = write
    this.startedUs = Math.round(startedMs * 1_000)
  }

  onBegin(): void {
    this.write(Buffer.concat([sectionHeader(), interfaceDescription()]))
  }

  onOpen({ connection, atUs, client, node }: ConnectionSeen): void {
    const sides = { client: { address: client, next: 1_000 }, node: { address: node, next: 5_000 } }
    this.connections.set(connection, sides)
    this.segment(sides.client, sides.node, flags.syn, atUs)
    this.segment(sides.node, sides.client, flags.syn | flags.ack, atUs)
    this.segment(sides.client, sides.node, flags.ack, atUs)
  }

  onClose(connection: number, atUs: number): void {
    const sides = this.connections.get(connection)
    if (sides === undefined) return
    this.connections.delete(connection)
    this.segment(sides.client, sides.node, flags.fin | flags.ack, atUs)
    this.segment(sides.node, sides.client, flags.fin | flags.ack, atUs)
    this.segment(sides.client, sides.node, flags.ack, atUs)
  }

  onFrame(seen: FrameSeen): void {
    const sides = this.connections.get(seen.connection)
    if (sides === undefined) return
    const isRequest = seen.direction === 'request'
    const [from, to] = isRequest ? [sides.client, sides.node] : [sides.node, sides.client]
    const bytes = recordedFrame(seen)
    const level = isRequest ? 'request' : 'response'
    const comment = (seen.exchange?.findings ?? [])
      .filter(({ message }) => message.endsWith(level))
      .map(commentOf)
      .join('\n')
    for (let start = 0; start < bytes.length; start += maxSegmentBytes) {
      const end = Math.min(start + maxSegmentBytes, bytes.length)
      const isLast = end === bytes.length
      const payload = bytes.subarray(start, end)
      this.segment(from, to, flags.push | flags.ack, seen.atUs, payload, isLast ? comment : '')
    }
  }

  onExchange(_exchange: Exchange): void {}

  onNote(_connection: number, _atUs: number, _finding: Finding): void {}

  private segment(
    from: Side,
    to: Side,
    bits: number,
    atUs: number,
    payload: Buffer = Buffer.alloc(0),
    comment = '',
  ): void {
    const acknowledged = (bits & flags.ack) === 0 ? 0 : to.next
    const { address, next: sequence } = from
    const packet = packetOf({
      from: address,
      to: to.address,
      sequence,
      acknowledged,
      flags: bits,
      payload,
    })
    const ends = (bits & (flags.syn | flags.fin)) === 0 ? 0 : 1
    from.next = (from.next + payload.length + ends) % 2 ** 32
    this.write(enhancedPacket(this.startedUs + atUs, packet, comment))
  }
}

const commentOf = ({ level, message, text }: Finding): string => `${level}: ${message}: ${text}`
