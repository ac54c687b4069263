import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { RunResult } from '../../src/results/result.ts'
import { loadResult } from '../../src/results/store.ts'
import { bench, makeFolder } from './bin.ts'

/** HTML reports through the real bin: the page of a run holds its result, and a page goes where it was asked for. */

const { folder, remove } = makeFolder()
afterAll(remove)

const memory = ['--data-dir', 'memory', '--no-save']

describe('--html', () => {
  it('writes a page that holds the result, with who held what when', async () => {
    const topic = ['-t', 'pages', '--data-dir', 'data', '--no-save']
    await bench(folder, ...topic, '-n', '3000', '-s', '100', '--quiet')
    const group = ['-m', 'consume', '--consumers', '2', '--stagger', '1s']
    const files = ['--html', 'group.html', '--json-output', '-']
    const { code, stdout } = await bench(folder, ...topic, ...group, ...files)
    expect(code).toBe(0)
    const result = JSON.parse(stdout) as RunResult
    const page = path.join(folder, 'group.html')
    expect(loadResult(page)).toEqual(result)
    for (const {
      startedAtMs,
      firstAssignmentMs,
      partitions,
      assignments = [],
    } of result.consumers) {
      const held = assignments.filter((one) => one.partitions.length > 0)
      expect(held[0]?.atMs).toBeCloseTo(startedAtMs + (firstAssignmentMs ?? Number.NaN), 3)
      expect(held.at(-1)?.partitions).toEqual(partitions)
    }
    expect(readFileSync(page, 'utf8')).toContain('<strong>Members over time</strong>')
    const again = await bench(folder, 'report', 'group.html', '--format', 'json')
    expect(JSON.parse(again.stdout)).toEqual(result)
  })

  it('of a comparison, on standard output', async () => {
    const quick = ['-n', '2000', '-s', '100', ...memory]
    await bench(folder, ...quick, '--json-output', 'a.json')
    const { code, stdout } = await bench(folder, 'compare', 'a.json', 'a.json', '--html', '-')
    expect([code, stdout.startsWith('<!doctype html>')]).toEqual([0, true])
    expect(stdout).toContain('<h1>NO VERDICT</h1>')
  })

  it.each([
    [['--html', ''], 2, "--html ''"],
    [['--html', '-', '--json-output', '-'], 2, '--html -: standard output is taken'],
    [['--html', 'x.html', '--repeat', '2'], 2, '--html'],
    [['--html', '/proc/x.html', '-n', '10', ...memory], 3, '--html: '],
  ])('%j ends with %d', async (flags, exitCode, message) => {
    const { code, stderr } = await bench(folder, ...flags)
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(message)])
  })
})
