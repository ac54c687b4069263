// Bytes that are no request: what is closed, what is answered, what waits.

const sized = (body) => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

const int = (bits, ...values) => {
  const bytes = Buffer.alloc((bits / 8) * values.length)
  values.forEach((value, i) => bytes.writeIntBE(value, (bits / 8) * i, bits / 8))
  return bytes
}
const int16 = (...values) => int(16, ...values)
const int32 = (...values) => int(32, ...values)

const header = (key, version, isFlexible = false) =>
  Buffer.concat([
    int16(key, version),
    int32(7),
    int16(1),
    Buffer.from('p'),
    Buffer.alloc(isFlexible ? 1 : 0),
  ])
const frame = (...parts) => sized(Buffer.concat(parts))
const size = (value) => Buffer.concat([int32(value), Buffer.alloc(16, 120)])
const head = (clientIdLength) => [int16(3, 1), int32(7), int16(clientIdLength)]

const inputs = {
  'ApiVersions of version 9': frame(header(18, 9, true), Buffer.from('0261026200', 'hex')),
  'ApiVersions of version 9 without a body': frame(header(18, 9, true)),
  'ApiVersions of version -1': frame(header(18, -1)),
  'Metadata of version 99': frame(header(3, 99)),
  'Metadata of version -1': frame(header(3, -1)),
  'Produce of version 2': frame(header(0, 2), int16(1), int32(1_000, 0)),
  'Produce of version 0': frame(header(0, 0), int16(1), int32(1_000, 0)),
  'API key 9999': frame(header(9_999, 0)),
  'API key -1': frame(header(-1, 0)),
  'API key 7': frame(header(7, 0)),
  'size 0': int32(0),
  'size -1': int32(-1),
  'size 2147483647': size(2 ** 31 - 1),
  'size just too large': size(104_857_601),
  'an HTTP request': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  'a TLS hello': Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(300)]),
  'a frame of three bytes': sized(Buffer.from('abc')),
  'a frame of seven bytes': sized(Buffer.alloc(7)),
  'a frame of eight zeros': sized(Buffer.alloc(8)),
  'half a header': Buffer.concat([int32(50), int16(3, 1)]),
  'half a size': Buffer.from([0, 0]),
  'client id length -2': frame(...head(-2)),
  'client id null': frame(...head(-1), int32(0)),
  'client id longer than the frame': frame(...head(30_000), Buffer.from('x')),
  'client id that is no UTF-8': frame(...head(2), Buffer.from([0xff, 0xfe]), int32(0)),
  'array length 1000000000': frame(header(3, 1), int32(1_000_000_000)),
  'array length -5': frame(header(3, 1), int32(-5)),
  'array length -1': frame(header(3, 1), int32(-1)),
  'no body': frame(header(3, 1)),
  'bytes after the body': frame(header(3, 1), int32(0), Buffer.from('zzzz')),
  'string length -2': frame(header(3, 1), int32(1), int16(-2)),
  'string null where none may be': frame(header(3, 1), int32(1), int16(-1)),
  'string longer than the frame': frame(header(3, 1), int32(1), int16(30_000), Buffer.from('x')),
  'compact array length of 2^31': frame(header(3, 9, true), Buffer.from('ffffffff0f', 'hex')),
  'compact array length beyond the frame': frame(header(3, 9, true), Buffer.from('ff01', 'hex')),
  'varint of ten bytes': frame(header(3, 9, true), Buffer.alloc(10, 0xff)),
  'unknown tagged field': frame(
    header(3, 9, true),
    Buffer.from('01' + '00' + '00' + '00' + '01' + '63' + '02' + 'abcd', 'hex'),
  ),
  'unknown tagged field in the header': frame(
    header(3, 9),
    Buffer.from('01' + '63' + '02' + 'abcd' + '01' + '000000' + '00', 'hex'),
  ),
  'tagged field longer than the frame': frame(
    header(3, 9, true),
    Buffer.from('01' + '000000' + '01' + '63' + '7f', 'hex'),
  ),
}

const bytes = {
  name: 'hostile bytes',
  async run(s) {
    await Promise.all(
      Object.entries(inputs).map(async ([label, input]) => {
        const c = await s.open()
        const answer = await c.raw(label, input, 1_500)
        if (answer !== null) {
          const again = await c.ask('ApiVersions', 0, {})
          s.note(`${label}: the connection then`, again === null ? 'closed' : 'open')
        }
        if (label.startsWith('ApiVersions'))
          s.note(`${label}: bytes`, answer?.toString('hex') ?? null)
        c.close()
      }),
    )
  },
}

const slowly = {
  name: 'split and joined frames',
  async run(s) {
    const c = await s.open()
    const one = frame(header(3, 1), int32(0))
    for (const byte of one.subarray(0, -1)) {
      c.connection.socket.write(Buffer.from([byte]))
      await s.sleep(1)
    }
    await c.raw('one byte at a time', one.subarray(-1), 1_500)
    const both = Buffer.concat([frame(header(18, 0)), frame(header(3, 1), int32(0))])
    const first = c.raw('two frames at once, the first', both, 1_500)
    const second = c.raw('two frames at once, the second', Buffer.alloc(0), 1_500)
    s.note('sizes in order', [(await first)?.length > (await second)?.length])
  },
}

/** Requests of one connection are answered in order: behind a parked one nothing comes. */
const order = {
  name: 'order on a connection',
  async run(s) {
    const c = await s.open()
    const join = c.begin('join', 'JoinGroup', 3, {
      groupId: 'order',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(6) }],
    })
    const behind = c.begin('heartbeat behind it', 'Heartbeat', 0, {
      groupId: 'order-nope',
      generationId: 1,
      memberId: 'x',
    })
    await behind.parked('behind a parked join', 300)
    await join.done
    await behind.done
  },
}

export const hostileScenarios = [bytes, slowly, order]
