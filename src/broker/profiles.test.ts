import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import type { ApiName } from '../protocol/messages/index.ts'
import { serveApis } from './apis.ts'
import { createBroker } from './broker.ts'
import { parseDataDir } from './data-dir.ts'
import { kafkaParts } from './parts.ts'
import { profileNames, withProfile } from './profiles.ts'
import { parseSettings } from './settings.ts'

const servedBy = (name: (typeof profileNames)[number]) => {
  const { messages, handlers } = withProfile(kafkaParts, name)
  return new Map([...serveApis(messages, handlers).values()].map(({ api }) => [api.name, api]))
}

describe('profiles', () => {
  it('serve all of the newest Kafka that we have, and never more in an older one', () => {
    expect(servedBy('kafka-4.3').size).toBe(Object.keys(kafkaParts.messages).length)
    for (const [index, name] of profileNames.entries()) {
      const newer = profileNames[index + 1]
      if (newer === undefined) continue
      for (const [api, { maxVersion }] of servedBy(name)) {
        expect(maxVersion, `${api} in ${name}`).toBeLessThanOrEqual(
          servedBy(newer).get(api)?.maxVersion ?? -1,
        )
      }
    }
  })

  it('kafka-3.9 is what Kafka 3.9.1 itself defined, within what we serve', () => {
    for (const [name, { maxVersion }] of servedBy('kafka-3.9')) {
      const file = `../../test/fixtures/kafka-messages/3.9.1/${name}Request.json`
      const { validVersions } = JSON.parse(
        readFileSync(new URL(file, import.meta.url), 'utf8'),
      ) as { validVersions: string }
      const highest = Number(validVersions.split('-').at(-1))
      const ours = kafkaParts.messages[name as ApiName].maxVersion
      expect({ name, maxVersion }).toEqual({ name, maxVersion: Math.min(ours, highest) })
    }
  })

  it('leaves out what did not exist', () => {
    expect(servedBy('kafka-2.4').has('DescribeCluster')).toBe(false)
    expect(servedBy('kafka-2.8').has('DescribeCluster')).toBe(true)
    expect(servedBy('kafka-2.4').get('OffsetFetch')?.maxVersion).toBe(6)
  })

  it.each(profileNames)('kafkajs produces and consumes on %s', async (name) => {
    const broker = createBroker({
      host: '127.0.0.1',
      port: 0,
      dataDir: parseDataDir('memory'),
      settings: parseSettings({ 'group.initial.rebalance.delay.ms': '10' }),
      clock: systemClock,
      log: () => {},
      parts: withProfile(kafkaParts, name),
    })
    const { port } = await broker.listen()
    const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING })
    const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: 'g' })]
    try {
      await Promise.all([producer.connect(), consumer.connect()])
      await producer.send({ topic: 't', messages: [{ value: 'a' }, { value: 'b' }] })
      await consumer.subscribe({ topic: 't', fromBeginning: true })
      const values: string[] = []
      await new Promise<void>((resolve, reject) => {
        const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
          values.push(String(message.value))
          if (values.length === 2) resolve()
          return Promise.resolve()
        }
        consumer.run({ eachMessage }).catch(reject)
      })
      expect(values).toEqual(['a', 'b'])
    } finally {
      await Promise.all([producer.disconnect(), consumer.disconnect()])
      await broker.close()
    }
  })
})
