import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** The rounds that last, for two seconds: what they look at and how they judge. */

const soak = fileURLToPath(new URL('../../dist/benchmarks/soak.js', import.meta.url))
const play = (...args: string[]) =>
  spawnSync(process.execPath, [soak, ...args], { encoding: 'utf8' })

describe('a round that lasts', () => {
  it('has counts that are exact, and a verdict on memory of both processes', () => {
    const { stdout, stderr } = play('--round', 'open-ring', '--minutes', '0.04')
    const cells = stdout.split('\n')[2]?.split(' | ') ?? []
    expect(cells[0], stderr).toBe('| open-ring')
    const [minutes, millions, wrong] = cells.slice(2, 5)
    expect([Number(minutes) > 0, Number(millions) > 0]).toEqual([true, true])
    expect(wrong).toMatch(/^0; failed 0/)
    expect(cells[7]).toMatch(/^\d+, [+-]?[\d.]+$/)
    expect(cells[8]).toMatch(/^\d+, [+-]?[\d.]+$/)
    expect(cells[10]).toMatch(/^all \d+ hold$/)
    // So short a round still fills the ring.
    expect(cells[11]).toMatch(/^(NOT )?flat, exact$/)
  })

  it('is refused by a name that is none', () => {
    const { status, stderr } = play('--round', 'x')
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('open-ring, full-ring, open-disk'),
    ])
  })
})
