import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { bench, benchResult, deltaOf, failedChecks, makeFolder } from './bin.ts'

/** Produce through the real bin against the embedded broker. Each test names the fault of chronik-bench it would see. */

const { folder, remove } = makeFolder()
afterAll(remove)

const quick = ['-c', '64', '-s', '100', '--report-interval-secs', '5']

describe('produce', () => {
  it('ends a sub-second run, and reports its time rather than the report tick (quirk 1)', async () => {
    const { result, code } = await benchResult(folder, ...quick, '-d', '700ms', '-w', '0s')
    expect(code).toBe(0)
    expect(result.status).toBe('completed')
    expect(result.totals.records).toBeGreaterThan(0)
    // First send to last ack, never rounded up to the 5 s of the report interval.
    expect(result.totals.elapsedMs % 1000).not.toBe(0)
    expect(result.totals.elapsedMs).toBeLessThan(5_000)
    const rate = result.totals.records / (result.totals.elapsedMs / 1000)
    expect(result.totals.recordsPerSec).toBeCloseTo(rate, 3)
  })

  it('keeps every latency sample (quirk 2)', async () => {
    const { result } = await benchResult(folder, ...quick, '-n', '20000')
    expect(result.latencyUs.response?.count).toBe(20_000)
    expect(result.latencyUs.service?.count).toBe(20_000)
  })

  it('sends exactly -n records with many in flight, and counts them against the watermarks (quirk 5)', async () => {
    const { result, code } = await benchResult(folder, '-c', '128', '-s', '10', '-n', '1001')
    expect(code).toBe(0)
    expect(result.totals.records).toBe(1001)
    expect(deltaOf(result)).toBe(1001)
  })

  it('accounts for the warm-up in a ledger of its own', async () => {
    const { result, code } = await benchResult(folder, ...quick, '-d', '1s', '-w', '500ms')
    expect(code).toBe(0)
    expect(result.warmup.records).toBeGreaterThan(0)
    expect(result.totals.records + result.warmup.records).toBe(deltaOf(result))
    expect(result.latencyUs.response?.count).toBe(result.totals.records)
    expect(failedChecks(result)).toEqual([])
  })

  it('keeps one rate over the whole run, not one per task (quirk 3)', async () => {
    const { result } = await benchResult(folder, ...quick, '--rate', '1000', '-d', '2s', '-w', '0s')
    expect(result.totals.records + result.totals.unsent).toBeGreaterThanOrEqual(1_999)
    expect(result.totals.records + result.totals.unsent).toBeLessThanOrEqual(2_001)
    expect(result.latencyUs.response).not.toBeNull()
  })

  it('fails when sends fail (quirk 6)', async () => {
    const tooLarge = ['-s', '3000000', '-n', '3', '--message-timeout-ms', '5000']
    const { result, code } = await benchResult(folder, ...tooLarge)
    expect(code).toBe(1)
    expect(result.totals.failed).toBe(3)
    expect(result.totals.records).toBe(0)
    expect(failedChecks(result)).not.toEqual([])
  })

  it('carries its ledger in headers when the value is too small, down to nothing', async () => {
    for (const size of ['0', '1', '35']) {
      const { result, code } = await benchResult(folder, '-s', size, '-n', '300', '--validate')
      expect({ size, code, failed: failedChecks(result) }).toEqual({ size, code: 0, failed: [] })
    }
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads back what it wrote with %s', async (codec) => {
    const args = ['-n', '2000', '--compression', codec, '--payload-pattern', 'text', '--validate']
    const { result, code } = await benchResult(folder, ...args)
    expect(code).toBe(0)
    expect(deltaOf(result)).toBe(2_000)
  })

  it.each([['0'], ['1'], ['all']])('counts with acks %s', async (acks) => {
    const { result, code } = await benchResult(folder, '-n', '500', '--acks', acks)
    expect(code).toBe(0)
    expect(deltaOf(result)).toBe(500)
    expect(result.totals.records).toBe(acks === '0' ? result.totals.records : 500)
  })

  it('produces idempotently', async () => {
    const { result, code } = await benchResult(folder, '-n', '2000', '--idempotent', '--validate')
    expect(code).toBe(0)
    expect(result.config['acks']).toBe(-1)
    expect(deltaOf(result)).toBe(2_000)
  })

  it('sends exactly --batch-records per request', async () => {
    const { result } = await benchResult(folder, '-n', '1000', '-c', '4', '--batch-records', '100')
    expect(result.totals.requests).toBe(10)
    expect(result.totals.records).toBe(1_000)
  })

  it('spreads keys as Java does and keeps the count', async () => {
    const { result } = await benchResult(folder, '-n', '600', '--key-pattern', 'fixed', '-s', '50')
    const used = result.partitions.filter(({ highAfter, highBefore }) => highAfter > highBefore)
    expect(used).toHaveLength(1)
    expect(deltaOf(result)).toBe(600)
  })

  it('fails a threshold with exit 1 and says which', async () => {
    const { result, code } = await benchResult(folder, '-n', '100', '--fail-if', 'p50>1us')
    expect(code).toBe(1)
    expect(failedChecks(result).join()).toContain('p50>1us')
  })

  it('is reproducible with a seed and says what it was', async () => {
    const { result } = await benchResult(folder, '-n', '10', '--seed', '7', '--label', 'v1')
    expect(result.config['seed']).toBe(7)
    expect(result.label).toBe('v1')
  })
})

describe('outputs', () => {
  it('saves every run as one file, prints the closed box, and repeats it from the file', async () => {
    const own = makeFolder()
    const { code, stdout } = await bench(own.folder, '-n', '500', '-s', '64')
    expect(code).toBe(0)
    const lines = stdout.split('\n').filter((line) => /^[╔║╠╚]/.test(line))
    expect(lines.length).toBeGreaterThan(15)
    expect(new Set(lines.map((line) => Array.from(line).length)).size).toBe(1)
    expect(stdout).not.toContain('\u001b')
    const saved = readdirSync(path.join(own.folder, 'results'))
    expect(saved).toHaveLength(1)
    const file = path.join('results', saved[0] ?? '')
    const again = await bench(own.folder, 'report', file)
    expect(again.stdout).toBe(stdout)
    const csv = await bench(own.folder, 'report', file, '--format', 'csv')
    expect(csv.stdout.split('\n')[0]).toMatch(/^timestamp,mode,duration_secs,total_messages/)
    await own.remove()
  })

  it('writes JSON and CSV where told, and nothing else with --quiet --no-save', async () => {
    const own = makeFolder()
    const files = ['--json-output', 'a.json', '--csv-output', 'a.csv']
    const ended = await bench(own.folder, '-n', '50', ...files, '--quiet', '--no-save')
    expect(ended).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const result = JSON.parse(readFileSync(path.join(own.folder, 'a.json'), 'utf8')) as RunResult
    expect(result.schemaVersion).toBe(1)
    expect(result.totals.records).toBe(50)
    expect(readFileSync(path.join(own.folder, 'a.csv'), 'utf8').split('\n')).toHaveLength(3)
    expect(readdirSync(own.folder).toSorted()).toEqual(['.bench', 'a.csv', 'a.json'])
    await own.remove()
  })

  it('deletes a fresh topic, keeps it on request, and clean removes the rest', async () => {
    const own = makeFolder()
    await bench(own.folder, '-n', '10')
    expect((await bench(own.folder, 'clean')).stdout).toBe('nothing left over\n')
    const { result } = await benchResult(own.folder, '-n', '10', '--keep-topic')
    const cleaned = await bench(own.folder, 'clean')
    expect(cleaned.stdout).toBe(`deleted topic ${result.config.topic}\n`)
    await own.remove()
  })

  it('puts the result in the temp folder and exits 3 when the results folder cannot be written', async () => {
    const ended = await bench(folder, '-n', '10', '--results-dir', '/dev/null/results')
    expect(ended.code).toBe(3)
    const saved = /result is in (\S+\.json)/.exec(ended.stderr)?.[1] ?? ''
    expect(statSync(saved).size).toBeGreaterThan(100)
  })

  it('takes options from a file, the command line first', async () => {
    const own = makeFolder()
    const { writeFileSync } = await import('node:fs')
    writeFileSync(path.join(own.folder, 'c.json'), '{"message-count": 20, "message-size": 77}')
    const { result } = await benchResult(own.folder, '--config', 'c.json', '-n', '30')
    expect(result.totals.records).toBe(30)
    expect(result.config.messageSizeBytes).toBe(77)
    await own.remove()
  })
})

describe('other modes', () => {
  it('round-trip counts its own records only (quirk 4)', async () => {
    await bench(folder, '--topic', 'old', '-n', '500', '-s', '100')
    const { result, code } = await benchResult(
      folder,
      ...['--topic', 'old', '--mode', 'round-trip', '-n', '300', '-s', '100', '-c', '8'],
    )
    expect(code).toBe(0)
    expect(result.totals.records).toBe(300)
    expect(result.totals.received).toBe(300)
    expect(result.latencyUs.endToEnd?.count).toBe(300)
  })

  it('metadata: one operation is one answer', async () => {
    await bench(folder, '--topic', 'meta', '-n', '10')
    const { result, code } = await benchResult(
      folder,
      ...['--topic', 'meta', '--mode', 'metadata', '-n', '200', '-c', '4'],
    )
    expect(code).toBe(0)
    expect(result.totals.records).toBe(200)
    expect(result.latencyUs.response?.count).toBe(200)
  })
})
