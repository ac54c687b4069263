import { expect, test } from 'vitest'
import { loadDriver } from './index.ts'

test('kafkajs is loaded with its version', async () => {
  const driver = await loadDriver('kafkajs')
  expect(driver.name).toBe('kafkajs')
  expect(driver.version).toBe('2.2.4')
})

test('a client that is not there yet and one nobody knows are refused by name', async () => {
  const allowed = 'kafkajs, platformatic, librdkafka are allowed'
  await expect(loadDriver('wire')).rejects.toThrow(`client wire: not there yet; ${allowed}`)
  await expect(loadDriver('sarama')).rejects.toMatchObject({
    exitCode: 2,
    message: `client sarama: unknown; ${allowed}`,
  })
})
