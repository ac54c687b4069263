import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { golden } from '../../../test/support/golden.ts'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
  sampleLatency,
  sampleResources,
} from '../../../test/support/sample-result.ts'
import { splitWords } from '../../cli/words.ts'
import { compareSides } from '../../compare/comparison.ts'
import { LatencyHistogram } from '../../results/histogram.ts'
import type { Latency, RunResult } from '../../results/result.ts'
import type { ScenarioResult } from '../../results/scenario-result.ts'
import { loadResult } from '../../results/store.ts'
import { formatComparisonHtml } from './comparison.ts'
import { endOf, intervalsOf } from './over-time.ts'
import { reproduceCommand } from './reproduce.ts'
import { limitSentence } from './resources.ts'
import { formatHtml } from './run.ts'
import { linearScale, logScale } from './scale.ts'
import { formatScenariosHtml } from './scenario.ts'

/** A thousand fast ones, then fewer and fewer slow ones, all times `factor`. */
const latency = (factor = 1, fields: Partial<Latency> = {}): Latency => {
  const histogram = new LatencyHistogram()
  for (let us = 1; us <= 1_000; us += 1) histogram.recordCount((500 + us) * factor, 20)
  histogram.recordCount(9_000 * factor, 40)
  const made = histogram.toLatency()
  if (made === null) throw new Error('nothing recorded')
  return { ...made, ...fields }
}

const timeline = Array.from({ length: 6 }, (_, index) => ({
  atMs: (index + 1) * 1_000,
  records: 5_000 + index * 40,
  failed: index === 3 ? 7 : 0,
  bytes: 1_280_000,
  p50Us: 1_000 + index * 10,
  p99Us: 4_000 - index * 100,
}))

const paced = (fields: Partial<RunResult> = {}): RunResult => {
  const plain = produceResult({
    timeline,
    latencyUs: { response: latency(3), service: latency(), endToEnd: null },
    resources: sampleResources({ gcPauses: [{ atMs: 2_345, durationMs: 61.5 }] }),
    pacing: { pacer: 'precise', latenessUs: latency(0.1), lateRecords: 1_234 },
    ...fields,
  })
  return { ...plain, config: { ...plain.config, rateRecordsPerSec: 5_500, seed: 7 } }
}

const group = (fields: Partial<RunResult> = {}): RunResult => {
  const plain = consumeResult()
  const all = [
    [
      { atMs: 105, generation: 1, partitions: [0, 1, 2] },
      { atMs: 1_400, generation: 1, partitions: [] },
      { atMs: 1_500, generation: 2, partitions: [0, 2] },
      { atMs: 4_900, generation: 2, partitions: [] },
      { atMs: 5_040, generation: 3, partitions: [0] },
    ],
    [
      { atMs: 1_500, generation: 2, partitions: [1] },
      { atMs: 5_040, generation: 3, partitions: [1] },
    ],
    [
      { atMs: 3_000, generation: 2, partitions: [] },
      { atMs: 5_040, generation: 3, partitions: [2] },
    ],
  ]
  return {
    ...plain,
    timeline: timeline.map((point, index) => ({
      ...point,
      failed: 0,
      lag: 25_000 - index * 5_000,
    })),
    consumers: plain.consumers.map((one, index) => ({ ...one, assignments: all[index] ?? [] })),
    resources: sampleResources({ eventLoopUtilization: 0.97 }),
    ...fields,
  }
}

/** Without the style sheet and the data, which are the same for all or in the result. */
const bodyOf = (html: string): string =>
  html.slice(html.indexOf('<body>'), html.indexOf('<script type="application/json"'))

const written = (html: string): string => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'bench-html-')), 'report.html')
  writeFileSync(file, html)
  return file
}

const sidesOf = (factor: number) => {
  const run = (index: number, by: number): RunResult => {
    const plain = produceResult({ runId: `run${index}-${by}`, resources: sampleResources() })
    const rate = (50_000 + ((index * 7_919) % 700)) / by
    return {
      ...plain,
      totals: { ...plain.totals, recordsPerSec: rate },
      latencyUs: { response: latency(by), service: null, endToEnd: null },
    }
  }
  const runs = (by: number) => Array.from({ length: 6 }, (_, index) => run(index, by))
  return {
    baseline: { title: 'v1', runs: runs(1) },
    candidate: { title: 'v2', runs: runs(factor) },
  }
}

const compared = (factor: number): string => {
  const sides = sidesOf(factor)
  const options = { ignored: [], thresholds: new Map(), isStrict: false }
  return formatComparisonHtml(compareSides(sides.baseline, sides.candidate, options), sides)
}

describe('the page of a run', () => {
  it.each([
    ['produce', paced()],
    ['consume', group()],
  ])('has what it had (%s)', (name, result) => {
    const body = bodyOf(formatHtml(result))
    expect(body).toBe(golden(`report/${name}.html`, body))
  })

  it.each([
    ['produce', paced()],
    ['consume', group()],
    ['round-trip', roundTripResult()],
    ['metadata', metadataResult()],
    ['no intervals', produceResult({ timeline: [], partitions: [], checks: [] })],
    ['nothing done', produceResult({ totals: { ...produceResult().totals, elapsedMs: 0 } })],
  ])(
    'has no figure without a table, no broken number and one heading of each rank (%s)',
    (_, result) => {
      const html = formatHtml(result)
      const figures = html.split('<figure>').slice(1)
      for (const figure of figures) {
        expect(figure.slice(0, figure.indexOf('</figure>'))).toMatch(
          /role="img" aria-label="[^"]+"[\s\S]*<table>/,
        )
      }
      expect(html).not.toMatch(/NaN|Infinity|undefined|="n\/a/)
      expect(html.match(/<h1>/g)).toHaveLength(1)
      expect(html.match(/<main>/g)).toHaveLength(1)
    },
  )

  it('is read again as the result that it was made from', () => {
    const result = paced({ label: '</script><script>alert(1)</script><!--' })
    expect(loadResult(written(formatHtml(result)))).toEqual(result)
  })

  it('escapes whatever a result may hold', () => {
    const bad = `</script></title><img src=x onerror="alert('1')">\u0000\u202e&amp;`
    const result = group({
      label: bad,
      runId: bad,
      startedAt: bad,
      command: ['--topic', bad],
      warnings: [{ code: bad, text: bad, advice: bad }],
      checks: [{ name: bad, ok: false, expected: bad, actual: bad }],
    })
    result.config = { ...result.config, topic: bad, [bad]: bad }
    result.environment = { ...result.environment, cpu: bad, broker: bad, client: bad }
    result.consumers = result.consumers.map((one) => ({ ...one, name: bad }))
    const html = formatHtml(result)
    expect(html).not.toContain('<img')
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html.match(/<\/script>/g)).toHaveLength(1)
    expect(bodyOf(html)).not.toContain('\u0000')
    expect(bodyOf(html)).not.toContain('\u202e')
    expect(loadResult(written(html))).toEqual(result)
  })

  it('allows its own style sheet and nothing else', () => {
    const html = formatHtml(paced())
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(html).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;;`)
    expect(html).not.toMatch(/ style="| on\w+="|https?:|url\(/)
  })

  it('tells no percentile with too few samples', () => {
    const html = formatHtml(
      produceResult({
        latencyUs: { response: sampleLatency({ count: 999 }), service: null, endToEnd: null },
      }),
    )
    expect(html).toMatch(/p95<\/th><td>3\.41/)
    expect(html).toMatch(/p99<\/th><td>n\/a \(few samples\)/)
    expect(html).toMatch(/max<\/th><td>30\.21/)
  })

  it('says when the generator was the limit', () => {
    const busy = limitSentence(sampleResources({ eventLoopUtilization: 0.97 }))
    expect(busy).toMatchObject({ isDoubtful: true })
    expect(busy.text).toMatch('The generator was the limit: it was busy 97.00% of the time')
    expect(limitSentence(sampleResources({ eventLoopDelayMaxMs: 80 })).text).toMatch('stood still')
    expect(limitSentence(sampleResources())).toMatchObject({ isDoubtful: false })
    const at = (share: number) =>
      limitSentence({ ...sampleResources(), ceiling: { recordsPerSec: 50_000, share } })
    expect(at(0.85).text).toMatch('ran at 85.00% of what this client can do')
    expect([at(0.5).isDoubtful, at(0.85).isDoubtful, at(2).isDoubtful]).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe('the command to run it again', () => {
  it('is quoted for a shell', () => {
    const words = ['--label', `it's "a" $b`, '-t', 'x', '--seed=3', '']
    const line = reproduceCommand(produceResult({ command: words }))
    expect(line).toBe(`bench --label 'it'\\''s "a" $b' -t x --seed=3 ''`)
    expect(splitWords('x', line)).toEqual(['bench', ...words])
  })

  it('writes out what came from elsewhere', () => {
    const plain = produceResult({ command: [] })
    const result: RunResult = {
      ...plain,
      target: { kind: 'external', bootstrapServers: 'a:1,b:2' },
      config: { ...plain.config, seed: 5 },
    }
    expect(reproduceCommand(result)).toBe(
      'bench --topic bench-test --bootstrap-servers a:1,b:2 --seed 5',
    )
    const fresh = { ...plain.config, topic: `bench-${plain.runId}` }
    expect(reproduceCommand({ ...plain, config: fresh })).toBe('bench')
  })
})

describe('a run over time', () => {
  const point = (atMs: number, records: number, p99Us: number | null = 5) => ({
    ...{ atMs, records, failed: 0, bytes: 0, p50Us: 3, p99Us },
  })

  it('counts a stub at the end with the interval before it', () => {
    const intervals = intervalsOf([point(1_000, 2_000), point(2_000, 2_000), point(2_010, 400)])
    expect(intervals.map(({ fromMs, atMs }) => [fromMs, atMs])).toEqual([
      [0, 1_000],
      [1_000, 2_010],
    ])
    expect(intervals[1]?.recordsPerSec).toBeCloseTo(2_376.2, 1)
  })

  it('puts together what could not be seen apart, and keeps the highest latency', () => {
    const long = Array.from({ length: 1_000 }, (_, index) =>
      point((index + 1) * 1_000, 1_000, index === 500 ? 999 : 5),
    )
    const intervals = intervalsOf(long)
    expect(intervals.length).toBeLessThanOrEqual(240)
    expect(intervals.reduce((sum, { records }) => sum + records, 0)).toBe(1_000_000)
    expect(Math.max(...intervals.map(({ p99Us }) => p99Us ?? 0))).toBe(999)
    expect(intervals.at(-1)?.atMs).toBe(1_000_000)
  })

  it('leaves out a percentile of an interval with too few samples', () => {
    expect(intervalsOf([point(1_000, 999)])[0]).toMatchObject({ p50Us: 3, p99Us: null })
    expect(intervalsOf([])).toEqual([])
  })

  it('ends with what happened last', () => {
    expect(endOf(group({ timeline: [] }))).toBe(5_040)
  })
})

describe('scales', () => {
  it('have round values', () => {
    expect(linearScale(0, 51_277).ticks).toEqual([0, 20_000, 40_000, 60_000])
    expect(linearScale(0, 0.7).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8])
    expect(linearScale(0, 0).ticks.length).toBeGreaterThan(1)
    expect(logScale(180, 2_100).ticks).toEqual([100, 200, 500, 1_000, 2_000, 5_000])
    expect(logScale(1, 2_000_000).ticks).toEqual([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7])
  })

  it('place values between their ends', () => {
    expect(linearScale(0, 10).at(5)).toBe(0.5)
    expect(logScale(10, 1_000).at(100)).toBeCloseTo(0.5)
    expect(logScale(10, 1_000).at(0)).toBe(0)
    expect(logScale(5, 5).at(5)).toBe(0)
  })
})

const story = (fields: Partial<ScenarioResult> = {}): ScenarioResult => {
  const { environment } = produceResult()
  return {
    ...{ schemaVersion: 1, kind: 'scenario', runId: 'r', scenario: 'crash', title: 'One crashes' },
    ...{ guards: 'g', source: 's', defect: null, status: 'failed', reason: null, elapsedMs: 9_000 },
    ...{ startedAt: '2026-11-21T10:00:00.000Z', environment, partitionCount: 2, members: [] },
    target: { kind: 'embedded', bootstrapServers: '127.0.0.1:1' },
    partitions: [],
    checks: [
      { name: 'complete', ok: false, expected: 2, actual: 1 },
      { name: 'no-ghosts', ok: true, expected: 0, actual: 0 },
    ],
    timeline: {
      endMs: 8_000,
      rows: [
        {
          member: 'a',
          lives: [{ fromMs: 100, toMs: 8_200 }],
          owned: [{ fromMs: 500, toMs: 8_100, partitions: [0] }],
        },
        {
          member: 'b',
          lives: [{ fromMs: 100, toMs: 4_000 }],
          owned: [{ fromMs: 500, toMs: 4_000, partitions: [1] }],
        },
      ],
      generations: [{ atMs: 450, generation: 1 }],
      marks: [
        { atMs: 100, member: 'b', kind: 'start', text: '' },
        { atMs: 4_000, member: 'b', kind: 'crash', text: 'killed' },
        { atMs: 200, member: null, kind: 'produce', text: '2,000 records' },
      ],
    },
    explanation: ['a -> JoinGroup', 'a <- <nothing>'],
    warnings: [],
    ...fields,
  }
}

describe('the page of scenarios', () => {
  it('shows the members over time, what failed and what was said', () => {
    const html = formatScenariosHtml([story()], { isPassed: false, text: '0 passed, 1 failed' })
    expect(html).toContain('<h1>FAIL</h1>')
    const body = bodyOf(html)
    expect(body).toBe(golden('report/scenario.html', body))
    expect(body).toContain('a &lt;- &lt;nothing&gt;\n')
    // Nothing stands beyond the right edge, also what came after the end.
    const ends = [...body.matchAll(/<svg x="([\d.]+)%" y="\d+" width="([\d.]+)%"/g)]
    expect(ends.length).toBe(2)
    for (const [, x, width] of ends) expect(Number(x) + Number(width)).toBeLessThanOrEqual(100.01)
  })

  it('can do with nothing', () => {
    const empty = { endMs: 0, rows: [], generations: [], marks: [] }
    const skipped = story({ status: 'skipped', timeline: empty, checks: [], explanation: [] })
    const html = formatScenariosHtml([skipped], { isPassed: true, text: '1 skipped' })
    expect(html).not.toMatch(/NaN|Infinity|undefined|<figure>/)
    expect(html).toContain('SKIPPED')
  })
})

describe('the page of a comparison', () => {
  it('has what it had', () => {
    const body = bodyOf(compared(1.2))
    expect(body).toBe(golden('report/comparison.html', body))
  })

  it('lays both sides over each other', () => {
    const html = compared(1.2)
    expect(html).toContain('<h1>REGRESSION</h1>')
    expect(
      html.match(/<circle class="dot one" cx="[\d.]+%" cy="\d+" r="4"><title>baseline/g)?.length,
    ).toBeGreaterThan(6)
    expect(html).toMatch(/Latency by percentile: baseline .* candidate /)
    expect(html).not.toMatch(/NaN|Infinity|undefined|="n\/a/)
  })

  it('has no verdict and no intervals with one run a side', () => {
    const { baseline, candidate } = sidesOf(1.2)
    const sides = {
      baseline: { ...baseline, runs: baseline.runs.slice(0, 1) },
      candidate: { ...candidate, runs: candidate.runs.slice(0, 1) },
    }
    const options = { ignored: [], thresholds: new Map(), isStrict: false }
    const html = formatComparisonHtml(compareSides(sides.baseline, sides.candidate, options), sides)
    expect(html).toContain('<h1>NO VERDICT</h1>')
    expect(html).not.toMatch(/NaN|Infinity|undefined|="n\/a/)
  })
})
