// The way of the records: produce, fetch, list offsets, and idempotence, in every version.

import { gzipSync } from 'node:zlib'
import { crc32c } from '../../../dist/src/protocol/crc32c.js'
import { encodeBatch } from '../../../dist/src/protocol/record-batch.js'
import { zeroUuid } from '../../../dist/src/protocol/schema.js'

/** Of no topic. */
const unknownId = 'qqqqu7u7TMyN3e7u7u7u7g'
const timestampMs = 1_700_000_000_000
const record = (i, valueBytes = 4) => ({
  key: Buffer.from(`k${i}`),
  value: Buffer.alloc(valueBytes, 97 + i),
  timestampMs: timestampMs + 1_000 * i,
})
const batch = (count, options = {}, valueBytes = 4) =>
  encodeBatch(
    Array.from({ length: count }, (_, i) => record(i, valueBytes)),
    options,
  )

/** The batch with some bytes set anew, and then its CRC where that is to hold. */
const patched = (bytes, change, hasCrc = true) => {
  const copy = Buffer.from(bytes)
  change(copy)
  if (hasCrc) copy.writeUInt32BE(crc32c(copy, 21, copy.length), 17)
  return copy
}

const produceTo = (c, v, topic, acks = -1, transactionalId = null) => ({
  send: (label, records, index = 0, timeoutMs) =>
    c.call(
      label,
      'Produce',
      v,
      {
        transactionalId,
        acks,
        timeoutMs: 5_000,
        topicData: [{ name: topic, partitionData: [{ index, records }] }],
      },
      timeoutMs,
    ),
})

const produce = {
  name: 'produce',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('Produce')) {
      const name = `pr-${v}`
      await s.createTopic(c, name, 2)
      const { send } = produceTo(c, v, name)
      await send('first', batch(3))
      await send('second', batch(2))
      await send('leader only', batch(1), 1)
      await send(
        'bad CRC',
        patched(batch(1), (b) => b.writeUInt8(b[17] ^ 1, 17), false),
      )
      await send('unknown partition', batch(1), 77)
      await produceTo(c, v, 'pr-nope').send('unknown topic', batch(1))
      await produceTo(c, v, name, 5).send('acks 5', batch(1))
      await produceTo(c, v, name, 1).send('acks 1', batch(1), 1)
      await send('empty', Buffer.alloc(0))
      await send('gzip', batch(3, { attributes: 1, compress: (bytes) => gzipSync(bytes) }))
      await c.call('several partitions', 'Produce', v, {
        acks: -1,
        timeoutMs: 5_000,
        topicData: [
          {
            name,
            partitionData: [
              { index: 0, records: batch(1) },
              { index: 1, records: batch(2) },
              { index: 9, records: batch(1) },
            ],
          },
          { name: 'pr-nope', partitionData: [{ index: 0, records: batch(1) }] },
        ],
      })
      await c.call('nothing', 'Produce', v, { acks: -1, timeoutMs: 5_000, topicData: [] })
    }
  },
}

/** Damaged and odd batches: BROKER.md calls them hostile; each must be answered with the code that Kafka gives. */
const badBatches = () => {
  const one = batch(1)
  const two = batch(2)
  return {
    'larger than max.message.bytes': batch(1, {}, 2_000_000),
    'two batches': Buffer.concat([one, one]),
    'count too large': patched(one, (b) => b.writeInt32BE(5, 57)),
    'count too small': patched(two, (b) => b.writeInt32BE(1, 57)),
    'count -1': patched(one, (b) => b.writeInt32BE(-1, 57)),
    'count 0': patched(one, (b) => b.writeInt32BE(0, 57)),
    'last offset delta 9': patched(one, (b) => b.writeInt32BE(9, 23)),
    'last offset delta -1': patched(one, (b) => b.writeInt32BE(-1, 23)),
    'magic 0': patched(one, (b) => b.writeInt8(0, 16), false),
    'magic 1': patched(one, (b) => b.writeInt8(1, 16), false),
    'magic 9': patched(one, (b) => b.writeInt8(9, 16), false),
    'length beyond the end': patched(one, (b) => b.writeInt32BE(5_000, 8), false),
    'length -1': patched(one, (b) => b.writeInt32BE(-1, 8), false),
    'length 13': patched(one, (b) => b.writeInt32BE(13, 8), false),
    'length 0': patched(one, (b) => b.writeInt32BE(0, 8), false),
    'one byte short': one.subarray(0, one.length - 1),
    'one byte more': Buffer.concat([one, Buffer.alloc(1)]),
    'five bytes': one.subarray(0, 5),
    garbage: Buffer.alloc(80, 0xff),
    zeros: Buffer.alloc(80),
    'control batch': patched(one, (b) => b.writeInt16BE(0x20, 21)),
    'codec 5': patched(one, (b) => b.writeInt16BE(5, 21)),
    'codec 7': patched(one, (b) => b.writeInt16BE(7, 21)),
    'gzip that is none': patched(one, (b) => b.writeInt16BE(1, 21)),
    'snappy that is none': patched(one, (b) => b.writeInt16BE(2, 21)),
    'lz4 that is none': patched(one, (b) => b.writeInt16BE(3, 21)),
    'zstd that is none': patched(one, (b) => b.writeInt16BE(4, 21)),
    'transactional without a transactional id': batch(1, {
      attributes: 0x10,
      producerId: 5,
      producerEpoch: 0,
      baseSequence: 0,
    }),
    'in three days': encodeBatch([
      { key: null, value: Buffer.from('a'), timestampMs: Date.now() + 3 * 86_400_000 },
    ]),
    'without a timestamp': encodeBatch([{ key: null, value: Buffer.from('a'), timestampMs: -1 }]),
    'base offset 7': batch(1, { baseOffset: 7 }),
    'producer id without a sequence': batch(1, { producerId: 5, producerEpoch: 0 }),
    'producer id without an epoch': batch(1, { producerId: 5, baseSequence: 0 }),
    'sequence without a producer id': batch(1, { baseSequence: 0 }),
    'negative record length': patched(one, (b) => b.writeUInt8(1, 61)),
    'record length too large': patched(one, (b) => b.writeUInt8(0x7e, 61)),
    'log append time': patched(one, (b) => b.writeInt16BE(8, 21)),
  }
}

const hostileProduce = {
  name: 'produce, hostile',
  async run(s) {
    for (const v of s.versions('Produce').filter((one) => one === 3 || one === 7 || one === 12)) {
      const c = await s.open()
      const name = `ph-${v}`
      const cases = Object.entries(badBatches())
      await s.createTopic(c, name, cases.length)
      for (const [index, [label, records]] of cases.entries()) {
        const one = await s.open()
        await produceTo(one, v, name).send(label, records, index, 3_000)
        one.close()
        await c.call(`end after ${label}, sent by v${v}`, 'ListOffsets', 3, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name, partitions: [{ partitionIndex: index, timestamp: -1 }] }],
        })
      }
    }
    const name = 'ph-acks'
    const c = await s.open()
    await s.createTopic(c, name, 1)
    await produceTo(c, 7, name, 0).send('acks 0', batch(1), 0, 500)
    for (const [label, topic, records, index] of [
      ['acks 0, unknown partition', name, batch(1), 77],
      ['acks 0, unknown topic', 'ph-nope', batch(1), 0],
      ['acks 0, bad CRC', name, patched(batch(1), (b) => b.writeUInt8(b[17] ^ 1, 17), false), 0],
      ['null records', name, null, 0],
    ]) {
      const one = await s.open()
      const acks = label === 'null records' ? -1 : 0
      await produceTo(one, 7, topic, acks).send(label, records, index, 1_500)
      one.close()
    }
  },
}

const idempotence = {
  name: 'idempotence',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('InitProducerId')) {
      const init = (label, request) => c.call(label, 'InitProducerId', v, request)
      await init('fresh', { transactionalId: null, transactionTimeoutMs: 60_000 })
      await init('empty transactional id', { transactionalId: '', transactionTimeoutMs: 60_000 })
      await init('timeout 0', { transactionalId: null, transactionTimeoutMs: 0 })
      await init('timeout 1 h', { transactionalId: null, transactionTimeoutMs: 3_600_000 })
      if (v >= 3) {
        const again = { producerId: 5, producerEpoch: 3 }
        const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
        await init('with an id and an epoch', { ...request, ...again })
        await init('with an id only', { ...request, producerId: 5 })
        await init('with an epoch only', { ...request, producerEpoch: 5 })
      }
    }
    for (const v of s.versions('Produce').filter((one) => one === 3 || one >= 11)) {
      const name = `id-${v}`
      await s.createTopic(c, name, 3)
      const { producerId } = await c.ask('InitProducerId', 1, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
      })
      const { send: sendRaw } = produceTo(c, v, name)
      const send = (label, count, baseSequence, producerEpoch = 0, rest = {}) =>
        sendRaw(label, batch(count, { producerId, producerEpoch, baseSequence, ...rest }), 1)
      await send('sequence 0, two records', 2, 0)
      await send('the same again', 2, 0)
      await send('same start, fewer records', 1, 0)
      await send('same start, more records', 3, 0)
      await send('sequence 5, a gap', 1, 5)
      await send('sequence 2', 1, 2)
      for (let i = 3; i < 9; i++) await send(`sequence ${i}`, 1, i)
      await send('sequence 2, older than five', 1, 2)
      await send('sequence 3, older than five', 1, 3)
      await send('sequence 4, fifth newest', 1, 4)
      await send('sequence 8, newest', 1, 8)
      await send('next epoch, sequence 3', 1, 3, 1)
      await send('next epoch, sequence 0', 1, 0, 1)
      await send('old epoch', 1, 9, 0)
      await send('next epoch, sequence 1', 1, 1, 1)
      const other = (label, count, baseSequence, id) =>
        sendRaw(label, batch(count, { producerId: id, producerEpoch: 0, baseSequence }), 2)
      await other('unknown id, sequence 7', 1, 7, producerId + 900_000)
      await other('then sequence 8', 1, 8, producerId + 900_000)
      await other('then a gap', 1, 10, producerId + 900_000)
      const last = 2 ** 31 - 1
      await other('highest sequence', 1, last, producerId + 900_001)
      await other('then around to 0', 1, 0, producerId + 900_001)
      await other('over the end', 3, last - 1, producerId + 900_002)
      await other('then 1', 1, 1, producerId + 900_002)
      await other('the one over the end again', 3, last - 1, producerId + 900_002)
    }
  },
}

const offsets = {
  name: 'list offsets',
  async run(s) {
    const c = await s.open()
    await s.createTopic(c, 'lo', 3)
    await produceTo(c, 7, 'lo').send('fill', batch(3))
    await produceTo(c, 7, 'lo').send('fill on', batch(3))
    await produceTo(c, 7, 'lo').send(
      'fill one compressed',
      batch(4, { attributes: 1, compress: (bytes) => gzipSync(bytes) }),
      1,
    )
    for (const v of s.versions('ListOffsets')) {
      const list = (label, timestamp, partitionIndex = 0, rest = {}, name = 'lo') =>
        c.call(label, 'ListOffsets', v, {
          replicaId: -1,
          isolationLevel: 0,
          timeoutMs: 5_000,
          topics: [{ name, partitions: [{ partitionIndex, timestamp, ...rest }] }],
        })
      for (const timestamp of [-1, -2, -3, -4, -5, -6, -7, -9]) {
        await list(`timestamp ${timestamp}`, timestamp)
      }
      await list('timestamp 0', 0)
      for (const after of [0, 1, 1_000, 1_500, 2_000, 2_001, 10_000]) {
        await list(`${after} ms after the first`, timestampMs + after)
        await list(`${after} ms after the first, compressed`, timestampMs + after, 1)
      }
      await list('end of nothing', -1, 2)
      await list('timestamp 0 of nothing', 0, 2)
      if (v >= 7) await list('newest of nothing', -3, 2)
      await list('unknown partition', -1, 77)
      await list('unknown topic', -1, 0, {}, 'lo-nope')
      if (v >= 4) {
        await list('leader epoch 0', -1, 0, { currentLeaderEpoch: 0 })
        await list('leader epoch 9', -1, 0, { currentLeaderEpoch: 9 })
      }
      if (v >= 2) {
        await c.call('committed only', 'ListOffsets', v, {
          replicaId: -1,
          isolationLevel: 1,
          timeoutMs: 5_000,
          topics: [{ name: 'lo', partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
        })
      }
      await c.call('several', 'ListOffsets', v, {
        replicaId: -1,
        isolationLevel: 0,
        timeoutMs: 5_000,
        topics: [
          {
            name: 'lo',
            partitions: [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })),
          },
        ],
      })
      await c.call('the same partition twice', 'ListOffsets', v, {
        replicaId: -1,
        isolationLevel: 0,
        timeoutMs: 5_000,
        topics: [
          {
            name: 'lo',
            partitions: [0, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -2 })),
          },
        ],
      })
      await c.call('nothing', 'ListOffsets', v, {
        replicaId: -1,
        isolationLevel: 0,
        timeoutMs: 5_000,
        topics: [],
      })
    }
    for (const v of s.versions('OffsetForLeaderEpoch')) {
      for (const [label, partition, leaderEpoch, currentLeaderEpoch] of [
        ['of epoch 0', 0, 0, -1],
        ['of epoch 0, knowing it', 0, 0, 0],
        ['of epoch 5', 0, 5, -1],
        ['of epoch -1', 0, -1, -1],
        ['believing in epoch 9', 0, 0, 9],
        ['of an empty partition', 2, 0, -1],
        ['of an unknown partition', 77, 0, -1],
      ]) {
        await c.call(label, 'OffsetForLeaderEpoch', v, {
          replicaId: -1,
          topics: [{ topic: 'lo', partitions: [{ partition, leaderEpoch, currentLeaderEpoch }] }],
        })
      }
      await c.call('of an unknown topic', 'OffsetForLeaderEpoch', v, {
        replicaId: -1,
        topics: [{ topic: 'lo-nope', partitions: [{ partition: 0, leaderEpoch: 0 }] }],
      })
    }
  },
}

const deleteRecords = {
  name: 'delete records',
  async run(s) {
    const c = await s.open()
    for (const v of s.versions('DeleteRecords')) {
      const name = `dr-${v}`
      await s.createTopic(c, name, 2)
      await produceTo(c, 7, name).send(`fill for v${v}`, batch(5))
      await produceTo(c, 7, name).send(`fill on for v${v}`, batch(5))
      const remove = (label, offset, partitionIndex = 0, topic = name) =>
        c.call(label, 'DeleteRecords', v, {
          topics: [{ name: topic, partitions: [{ partitionIndex, offset }] }],
          timeoutMs: 5_000,
        })
      await remove('before 3', 3)
      await remove('before 1, again', 1)
      await remove('beyond the end', 99)
      await remove('before -5', -5)
      await remove('unknown partition', 1, 77)
      await remove('unknown topic', 1, 0, 'dr-nope')
      const list = (label, timestamp) =>
        c.call(`${label}, after v${v}`, 'ListOffsets', 3, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name, partitions: [{ partitionIndex: 0, timestamp }] }],
        })
      await list('start', -2)
      await list('end', -1)
      await list('timestamp 0', 0)
      await remove('all', -1)
      await list('start of nothing', -2)
      await list('end of nothing', -1)
      await remove('of an empty partition', -1, 1)
    }
  },
}

const fetch = {
  name: 'fetch',
  async run(s) {
    const c = await s.open()
    const topicId = await s.createTopic(c, 'fe', 4)
    const idOf = (topic) => (topic === 'fe' ? topicId : unknownId)
    const { send } = produceTo(c, 7, 'fe')
    await send('fill', batch(3))
    await send('fill on', batch(3))
    await send('fill another', batch(2, {}, 500), 1)
    await send('fill another on', batch(2, {}, 500), 1)
    await send('fill a third', batch(5), 3)
    await c.ask('DeleteRecords', 1, {
      topics: [{ name: 'fe', partitions: [{ partitionIndex: 3, offset: 2 }] }],
      timeoutMs: 5_000,
    })
    for (const v of s.versions('Fetch')) {
      const partitionOf = ([partition, fetchOffset, rest = {}]) => ({
        partition,
        fetchOffset,
        partitionMaxBytes: 1_048_576,
        ...rest,
      })
      const get = (label, partitions, rest = {}, topic = 'fe') =>
        c.call(label, 'Fetch', v, {
          replicaId: -1,
          maxWaitMs: 100,
          minBytes: 1,
          maxBytes: 52_428_800,
          isolationLevel: 0,
          sessionId: 0,
          sessionEpoch: -1,
          topics: [{ topic, topicId: idOf(topic), partitions: partitions.map(partitionOf) }],
          ...rest,
        })
      await get('from the start', [[0, 0]])
      await get('from inside a batch', [[0, 4]])
      await get('at the end', [[0, 6]])
      await get('beyond the end', [[0, 7]])
      await get('at -1', [[0, -1]])
      await get('below the start', [[3, 1]])
      await get('at the moved start', [[3, 2]])
      await get('empty partition', [[2, 0]])
      await get('unknown partition', [[77, 0]])
      await get('unknown topic', [[0, 0]], {}, 'fe-nope')
      await get('committed only', [[0, 0]], { isolationLevel: 1 })
      await get('at most 1 byte of the partition', [[0, 0, { partitionMaxBytes: 1 }]])
      await get('at most 1 byte', [[0, 0]], { maxBytes: 1 })
      await get('one batch by size', [[1, 0, { partitionMaxBytes: 1_200 }]])
      await get('an end and an error', [
        [0, 6],
        [77, 0],
      ])
      if (v >= 9) {
        await get('leader epoch 0', [[0, 0, { currentLeaderEpoch: 0 }]])
        await get('leader epoch 9', [[0, 0, { currentLeaderEpoch: 9 }]])
      }
      if (v >= 12) await get('last fetched epoch 0', [[0, 3, { lastFetchedEpoch: 0 }]])
      if (v >= 12) await get('last fetched epoch 5', [[0, 3, { lastFetchedEpoch: 5 }]])
      if (v >= 13) {
        const nothing = [{ topic: '', topicId: zeroUuid, partitions: [partitionOf([0, 0])] }]
        await get('the id of nothing', [], { topics: nothing })
      }
      if (v >= 7) {
        await get('unknown session', [[0, 0]], { sessionId: 12_345, sessionEpoch: 1 })
        await get('new session', [[0, 0]], { sessionEpoch: 0 })
      }
      await c.call('nothing', 'Fetch', v, {
        replicaId: -1,
        maxWaitMs: 100,
        minBytes: 1,
        maxBytes: 52_428_800,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [],
      })
    }
    await this.longPoll(s)
  },

  async longPoll(s) {
    const c = await s.open()
    await s.createTopic(c, 'fe-poll')
    const waiting = await s.open()
    const request = (maxWaitMs, minBytes, fetchOffset) => ({
      replicaId: -1,
      maxWaitMs,
      minBytes,
      maxBytes: 1_000_000,
      isolationLevel: 0,
      topics: [
        {
          topic: 'fe-poll',
          partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000 }],
        },
      ],
    })
    const poll = waiting.begin('long poll', 'Fetch', 4, request(10_000, 1, 0))
    await poll.parked('long poll after 400 ms', 400)
    await produceTo(c, 7, 'fe-poll').send('what ends it', batch(1))
    await poll.done
    const more = waiting.begin('long poll for 10 kB', 'Fetch', 4, request(1_500, 10_000, 0))
    await more.parked('long poll for 10 kB after 400 ms', 400)
    await produceTo(c, 7, 'fe-poll').send('too little to end it', batch(1))
    await more.parked('long poll for 10 kB after too little', 300)
    await more.done
  },
}

export const recordScenarios = [produce, hostileProduce, idempotence, offsets, deleteRecords, fetch]
