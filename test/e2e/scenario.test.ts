import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ScenarioResult } from '../../src/results/scenario-result.ts'
import { bench, makeFolder, processesOf, start, until } from './bin.ts'

/** `bench scenario` on the real bin: a story of one's own, proved, failed, refused, interrupted, and on another broker. */

const { folder, remove } = makeFolder()
afterAll(remove)

const story = `title: two members one after another
guards: whoever joins gets a share
source: this test
topic: { partitions: 2 }
produce: { records: 400 }
members: { a: {}, b: {} }
timeline:
  - { at: 0s, start: a }
  - { once: settled, start: b }
defect: { name: canary, check: fair-share }
`
writeFileSync(path.join(folder, 'story.yaml'), story)

const run = (...args: string[]) => bench(folder, 'scenario', 'run', 'story.yaml', ...args)

describe('a story of one’s own', () => {
  it('is proved: it passes, and the named check fails with its defect', async () => {
    const { code, stdout } = await run('--prove', '--results-dir', 'proved')
    expect(stdout).toMatch(/^PASS {2}story {2}\d+ checks hold; with canary fair-share fails/)
    expect(stdout).toContain('1 passed, 0 failed')
    expect(code).toBe(0)
    const saved = readdirSync(path.join(folder, 'proved'))
      .toSorted()
      .map((name) => readFileSync(path.join(folder, 'proved', name), 'utf8'))
      .map((text) => JSON.parse(text) as ScenarioResult)
    expect(saved.map(({ defect, status }) => [defect, status])).toEqual([
      [null, 'passed'],
      ['canary', 'failed'],
    ])
  })

  it('fails with a picture, the failed checks and what was said on the wire, and exits 1', async () => {
    const { code, stdout } = await run('--defect', 'canary', '--no-save')
    expect(code).toBe(1)
    expect(stdout).toContain('FAILED fair-share')
    expect(stdout).toMatch(/^a +S[. ]+/m)
    expect(stdout).toContain('!! suspicious: SyncGroup')
    expect(stdout).not.toContain('\u001b')
  })

  it('is played against a broker that is there, and leaves nothing on it', async () => {
    const broker = start(folder, ['broker', '--port', '0', '--data-dir', 'memory'])
    try {
      await until('the broker', () => /127\.0\.0\.1:\d+/.test(broker.stdout() + broker.stderr()))
      const [address = ''] = /127\.0\.0\.1:\d+/.exec(broker.stdout() + broker.stderr()) ?? []
      const { code, stdout } = await run('-b', address, '--no-save', '--json-output', '-')
      expect(code).toBe(0)
      const result = JSON.parse(stdout) as ScenarioResult
      expect(result.target).toEqual({ kind: 'external', bootstrapServers: address })
      expect(result.members.map(({ partitions }) => partitions.length)).toEqual([1, 1])
      const { stdout: left } = await bench(folder, 'clean', '-b', address)
      expect(left).toBe('nothing left over\n')
    } finally {
      broker.child.kill()
      await broker.ended
    }
  })

  it('with mistakes in it is refused with the place of each', async () => {
    const wrong = story.replace('start: b', 'start: c').replace('name: canary', 'name: bird')
    writeFileSync(path.join(folder, 'wrong.yaml'), wrong)
    const { code, stderr } = await bench(folder, 'scenario', 'run', 'wrong.yaml')
    expect(stderr).toMatch(/^bench: wrong.yaml:9:22: c: no such member; there are a, b\n/)
    expect(stderr).toMatch(/\nbench: wrong.yaml:10:11: bird: no such defect; there are [^\n]+\n$/)
    expect(code).toBe(2)
  })
})

it('Ctrl-C ends the members too, and exits 130', async () => {
  const own = makeFolder()
  writeFileSync(path.join(own.folder, 'story.yaml'), `${story}# \n`)
  const running = start(own.folder, ['scenario', 'run', 'story.yaml', '--no-save', '-v'])
  await until('the second member', () => running.stderr().includes('start b'))
  running.child.kill('SIGINT')
  const { code } = await running.ended
  expect(code).toBe(130)
  expect(processesOf(own.folder)).toEqual([])
  await own.remove()
})

it('lists and shows what comes with bench', async () => {
  const { stdout } = await bench(folder, 'scenario', 'list')
  expect(stdout).toContain('staggered-1s ')
  const shown = await bench(folder, 'scenario', 'show', 'staggered-1s')
  expect(shown.stdout).toMatch(/^title: Three consumers one second apart/)
})
