import { readdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { LatencyHistogram } from '../../src/results/histogram.ts'
import type { MaxRate } from '../../src/results/max-rate.ts'
import type { RunResult } from '../../src/results/result.ts'
import { loadResult } from '../../src/results/store.ts'
import { startAlteringProxy } from '../support/altering-proxy.ts'
import { bench, benchResult, makeFolder, pause, start, until } from './bin.ts'

/** Open loops, the search for the highest rate, and several workers, through the real bin with its threads. */

const { folder, remove } = makeFolder()
afterAll(remove)

const onRing = (name: string): string[] => ['--data-dir', 'ring', '--no-save', '--label', name]

describe('an open loop', () => {
  it.each(['timer', 'precise', 'spin'])(
    'woken by %s sends all that is due, and says how late',
    async (pacer) => {
      const args = ['--rate', '2000', '-d', '1s', '-w', '0s', '-c', '2000', '-s', '100']
      const { result } = await benchResult(folder, ...args, '--pacer', pacer, ...onRing(pacer))
      expect(result.totals).toMatchObject({ records: 2_000, unsent: 0, failed: 0 })
      const { latenessUs, lateRecords } = result.pacing ?? {}
      expect(result.pacing?.pacer).toBe(pacer)
      expect((latenessUs?.count ?? 0) + (lateRecords ?? 0)).toBe(2_000)
      expect(result.checks.every(({ ok }) => ok)).toBe(true)
    },
  )
})

/** The embedded broker in the foreground on a free port; it ends with the test, however that ends. */
const startBroker = async () => {
  const broker = start(folder, ['broker', '--port', '0', '--data-dir', 'ring'])
  onTestFinished(async () => {
    broker.child.kill('SIGCONT')
    broker.child.kill('SIGTERM')
    await broker.ended
  })
  const addressIn = (text: string): string => /127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ''
  await until('the broker', () => addressIn(broker.stdout() + broker.stderr()) !== '')
  return { broker, address: addressIn(broker.stdout() + broker.stderr()) }
}

describe('a broker that stands still', () => {
  const stallMs = 500

  it('shows in the response time of what was due meanwhile, and hardly in service time', async () => {
    const { broker, address } = await startBroker()
    const load = ['--rate', '1000', '-n', '2500', '-w', '0s', '-c', '4', '-s', '100']
    const args = [...load, '--bootstrap-servers', address, '--no-save', '--json-output', '-', '-v']
    const running = start(folder, args)
    await until('the load goes on', () => /msg\/s/.test(running.stderr()))
    broker.child.kill('SIGSTOP')
    await pause(stallMs)
    broker.child.kill('SIGCONT')
    const { stdout } = await running.ended
    const { latencyUs, totals, pacing, checks } = JSON.parse(stdout) as RunResult
    expect([totals.records, checks.every(({ ok }) => ok)]).toEqual([2_500, true])
    const [response, service] = [latencyUs.response?.hdr, latencyUs.service?.hdr].map((text) =>
      LatencyHistogram.decode(text ?? ''),
    )
    // 4 of 2,500 were under way, and about 500 came due; whatever else the machine does shows in both.
    expect(service?.max).toBeGreaterThan(0.9 * stallMs * 1e3)
    expect(response?.percentile(90)).toBeGreaterThan(0.4 * stallMs * 1e3)
    expect(service?.percentile(90)).toBeLessThan(0.4 * stallMs * 1e3)
    expect(pacing?.lateRecords).toBeGreaterThan(0.8 * stallMs)
  })
})

describe('--find-max', () => {
  // A condition on the rate itself fails above 2,000 however slow the machine is.
  it('closes in on where a condition becomes true, and leaves the curve and its runs', async () => {
    const step = ['-d', '400ms', '-w', '0s', '-c', '2000', '-s', '100', '--data-dir', 'ring']
    const search = ['--find-max', '--rate', '1900', '--fail-if', 'rate>2000']
    const files = ['--results-dir', 'max', '--json-output', '-']
    const { code, stdout, stderr } = await bench(folder, ...search, ...step, ...files)
    const found = JSON.parse(stdout) as MaxRate
    expect([code, found.isConverged]).toEqual([0, true])
    // Other tests run meanwhile, and it may say so.
    expect(found.problem ?? '').toMatch(/^(Perhaps not the broker's limit: .*)?$/)
    expect(found.sustainedPerSec).toBeGreaterThan(1_700)
    expect(found.sustainedPerSec).toBeLessThan(2_200)
    expect((found.exceededPerSec as number) / (found.sustainedPerSec as number)).toBeLessThan(1.051)
    expect(stderr).toMatch(/Highest rate that held: [\d,]+ msg\/s; [\d,]+ msg\/s did not\./)
    const runs = readdirSync(path.join(folder, 'max')).map((name) =>
      loadResult(path.join(folder, 'max', name)),
    )
    expect(new Set(runs.map(({ runId }) => runId))).toEqual(
      new Set(found.steps.map(({ runId }) => runId)),
    )
    expect(new Set(runs.map(({ series }) => series?.seriesId))).toEqual(new Set([found.seriesId]))
  })

  it('says why no rate holds', async () => {
    const args = ['--find-max', '--rate', '4', '--fail-if', 'rate>=0', '-d', '200ms', '-w', '0s']
    const { code, stdout } = await bench(folder, ...args, ...onRing('none'))
    expect(code).toBe(1)
    expect(stdout).toContain('Not even 1 msg/s holds: rate>=0:')
  })
})

describe('--workers with a broker that is 100 ms away', () => {
  it('do more with four connections, each of which waits for its answer', async () => {
    const { address } = await startBroker()
    const port = Number(address.split(':')[1])
    const proxy = await startAlteringProxy(port, (frame) => frame, 100)
    onTestFinished(() => proxy.close())
    const perSec = async (workers: string): Promise<number> => {
      const load = [
        '--workers',
        workers,
        '-c',
        '4',
        '--batch-records',
        '10',
        '-d',
        '1s',
        '-w',
        '0s',
      ]
      const waiting = ['-X', 'max.in.flight.requests.per.connection=1', '--partitions', '1']
      const away = ['--bootstrap-servers', `127.0.0.1:${proxy.port}`]
      const { result } = await benchResult(folder, ...load, ...waiting, ...away, '--no-save')
      expect(result.checks.every(({ ok }) => ok)).toBe(true)
      return result.totals.recordsPerSec
    }
    const [one, four] = [await perSec('1'), await perSec('4')]
    expect(one).toBeLessThan(1.1 * (10 / 0.1))
    // Four times as much; less where four threads have to share a busy machine.
    expect(four / one).toBeGreaterThan(2)
  })
})

describe('--workers 2', () => {
  const two = ['--workers', '2', '-s', '100', '-c', '65']

  it('acks exactly n and the warm-up, all in the log', async () => {
    const args = [...two, '-n', '20001', '-w', '200ms', '--validate']
    const { result, code } = await benchResult(folder, ...args, ...onRing('two'))
    expect(code).toBe(0)
    const { acked, delta } = result.partitions.reduce(
      (sum, one) => ({
        acked: sum.acked + one.acked,
        delta: sum.delta + one.highAfter - one.highBefore,
      }),
      { acked: 0, delta: 0 },
    )
    expect([acked, delta]).toEqual([20_001 + result.warmup.records, acked])
    expect(result.latencyUs.response?.count).toBe(20_001)
    expect(result.timeline.reduce((sum, point) => sum + point.records, 0)).toBe(20_001)
  })

  it('stops with the first signal, and accounts for what was done', async () => {
    const args = [...two, '-d', '30s', '-w', '0s', '--json-output', '-', '-v', ...onRing('stopped')]
    const running = start(folder, args)
    await until('the load goes on', () => /msg\/s/.test(running.stderr()))
    running.child.kill('SIGINT')
    const { code, stdout } = await running.ended
    const result = JSON.parse(stdout) as { status: string; checks: { ok: boolean }[] }
    expect([code, result.status]).toEqual([130, 'interrupted'])
    expect(result.checks.every(({ ok }) => ok)).toBe(true)
  })
})
