import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { readBenchVersion, readEnvironment } from './environment.ts'
import { newRunId } from './run-id.ts'

describe('the environment', () => {
  it('has every field filled', () => {
    const environment = readEnvironment({ client: 'kafkajs 2.2.4', broker: 'bench' })
    expect(environment).toMatchObject({
      client: 'kafkajs 2.2.4',
      broker: 'bench',
      node: process.version,
    })
    expect(Object.values(environment)).not.toContain('')
    expect(environment.cores).toBeGreaterThanOrEqual(1)
    expect(environment.memoryBytes).toBeGreaterThan(0)
    expect(environment.memoryBytes).toBeLessThanOrEqual(totalmem())
  })

  it('has the version of package.json', () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string }
    expect(readBenchVersion()).toBe(version)
  })
})

describe('run ids', () => {
  it('are 12 hexadecimal digits, each time others', () => {
    const ids = Array.from({ length: 1_000 }, newRunId)
    expect(ids.filter((id) => !/^[0-9a-f]{12}$/.test(id))).toEqual([])
    expect(new Set(ids).size).toBe(1_000)
  })
})
