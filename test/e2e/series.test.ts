import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Comparison } from '../../src/compare/comparison.ts'
import { loadResult } from '../../src/results/store.ts'
import { bench, makeFolder, start } from './bin.ts'

/** Several runs by one command through the real bin: each in its own process, on its own broker, in its own file. */

const { folder, remove } = makeFolder()
afterAll(remove)

const box = (name: string): string => path.join(folder, name)
const quick = ['-n', '2000', '-s', '100', '-c', '64']

const resultsIn = (resultsDir: string) =>
  readdirSync(resultsDir).map((name) => loadResult(path.join(resultsDir, name)))

describe('a series', () => {
  it('of --repeat has a file for each run, and a table', async () => {
    const args = [...quick, '--repeat', '2', '--results-dir', box('repeat')]
    const { code, stdout } = await bench(folder, ...args, '--data-dir', box('repeat-data'))
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Series [0-9a-f]{12}: medians of 2/)])
    const results = resultsIn(box('repeat'))
    expect(results.map(({ series }) => series?.index)).toEqual([0, 1])
    expect(new Set(results.map(({ series }) => series?.seriesId)).size).toBe(1)
    expect(new Set(results.map(({ config }) => config.topic)).size).toBe(2)
    expect(results.every(({ totals }) => totals.records === 2_000)).toBe(true)
  })

  it('of ab runs the sides in turns, and knows that their difference is meant', async () => {
    const sides = ['--a', '--message-size 100', '--b', "--message-size '200'", '--repeat', '2']
    const hook = ['--prepare', `echo run >> ${box('prepared')}`]
    const dirs = ['--results-dir', box('ab'), '--data-dir', box('ab-data')]
    const args = ['ab', ...sides, ...hook, '--json', '-', '-n', '2000', ...dirs]
    const { code, stdout, stderr } = await bench(folder, ...args)
    const comparison = JSON.parse(stdout) as Comparison
    expect([code, comparison.baseline.runs, comparison.candidate.runs]).toEqual([0, 2, 2])
    expect(comparison.differences).toMatchObject([{ key: 'messageSizeBytes', isIgnored: true }])
    const order = [...stderr.matchAll(/^run \d of 4 {2}([ab]) /gm)].map(([, side]) => side)
    expect(order).toEqual(['a', 'b', 'b', 'a'])
    expect(existsSync(box('prepared'))).toBe(true)
    const { seriesId } = resultsIn(box('ab'))[0]?.series ?? {}
    const again = ['compare', `${seriesId}:a`, `${seriesId}:b`, '--ignore', 'messageSizeBytes']
    const compared = await bench(folder, ...again, '--results-dir', box('ab'), '--json', '-')
    const { metrics } = JSON.parse(compared.stdout) as Comparison
    expect(compared.code).toBe(0)
    expect(metrics).toEqual(comparison.metrics)
  })

  it('writes one table into the summary of a job, and marks the run that failed', async () => {
    vi.stubEnv('GITHUB_STEP_SUMMARY', box('summary.md'))
    vi.stubEnv('GITHUB_ACTIONS', 'true')
    const args = [...quick, '--data-dir', 'memory', '--no-save', '--fail-if', 'p50>1us']
    const { code, stderr } = await bench(folder, ...args, '--repeat', '2')
    vi.unstubAllEnvs()
    const summary = readFileSync(box('summary.md'), 'utf8')
    expect([code, summary.match(/^║ Series /gm)?.length]).toEqual([1, 1])
    expect(summary).not.toContain('Benchmark Results')
    expect([...stderr.matchAll(/^::error title=bench run (\d) of 2%3A p50>1us::/gm)]).toHaveLength(
      2,
    )
  })

  it('ends with the first signal, its run drained and saved', async () => {
    const args = ['--repeat', '5', '-d', '20s', '-w', '0s', '--results-dir', box('stopped')]
    const running = start(folder, [...args, '--data-dir', box('stopped-data'), '-v'])
    while (!existsSync(path.join(box('stopped-data'), 'broker.log'))) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(130)
    expect(resultsIn(box('stopped')).map(({ status }) => status)).toEqual(['interrupted'])
  })

  it('says which run could not be made, and refuses a preparation that fails', async () => {
    const gone = await bench(folder, ...quick, '--repeat', '2', '-b', '127.0.0.1:1')
    expect([gone.code, gone.stderr]).toEqual([
      3,
      expect.stringMatching(/^bench: run 1: .*127\.0\.0\.1:1/m),
    ])
    const refused = await bench(folder, 'ab', ...quick, '--a', '-X no.such=1', '--b', '')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/^bench: run a: -X: .*no\.such: unknown to wire/m),
    ])
    const hook = await bench(folder, ...quick, '--prepare', 'echo no >&2; exit 4')
    expect([hook.code, hook.stderr]).toEqual([
      3,
      "bench: --prepare 'echo no >&2; exit 4' ended with 4: no\n",
    ])
  })
})
