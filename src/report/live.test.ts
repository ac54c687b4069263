import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import type { ProgressEvent } from '../results/progress.ts'
import { widthOf } from './box.ts'
import { createLiveView } from './live.ts'

const interval: ProgressEvent = {
  type: 'interval',
  phase: 'measure',
  elapsedMs: 5_000,
  durationMs: 30_000,
  records: 51_277,
  bytes: 13_126_912,
  recordsPerSec: 51_277,
  bytesPerSec: 13_126_912,
  failed: 0,
  totalRecords: 256_385,
  p50Us: 1_901,
  p90Us: 2_807,
  p99Us: 5_903,
  p999Us: 10_447,
  lag: null,
  members: [],
}

const events: ProgressEvent[] = [
  { type: 'phase', phase: 'measure', detail: 'bench-test' },
  interval,
  { ...interval, phase: 'drain', durationMs: null, failed: 3, p50Us: null, p99Us: null, lag: 12 },
  { type: 'note', text: 'consumer-1 was\u001b[2J assigned 0-2' },
]

class FakeTerminal extends PassThrough {
  readonly isTTY = true
  readonly columns = 80
  cursorTo = vi.fn(() => true)
  clearLine = vi.fn(() => true)
  moveCursor = vi.fn(() => true)
}

// ora asks its colour library, which asks the environment when it is loaded.
process.env['FORCE_COLOR'] = '1'

const textOf = (stream: PassThrough): string => String(stream.read() ?? '')

describe('the live view', () => {
  it('is one plain line per interval and note when piped', () => {
    const stream = new PassThrough()
    const live = createLiveView({ stream, isTty: false, hasColor: true, quiet: false })
    events.forEach(live.onProgress)
    live.stop()
    expect(textOf(stream)).toBe(
      'measure 5.00s of 30.00s  256,385 messages  51,277 msg/s  12.52 MB/s  p50 1.90 ms  p99 5.90 ms\n' +
        'drain 5.00s  256,385 messages  51,277 msg/s  12.52 MB/s  3 FAILED  lag 12\n' +
        'consumer-1 was?[2J assigned 0-2\n',
    )
  })

  it.each([true, false])('says nothing when quiet (terminal: %s)', async (isTty) => {
    const stream = new FakeTerminal()
    const live = createLiveView({ stream, isTty, hasColor: true, quiet: true })
    events.forEach(live.onProgress)
    await vi.dynamicImportSettled()
    live.stop()
    expect(textOf(stream)).toBe('')
  })

  it('redraws one status line on a terminal and leaves notes standing', async () => {
    const stream = new FakeTerminal()
    const live = createLiveView({ stream, isTty: true, hasColor: true, quiet: false })
    live.onProgress({ type: 'phase', phase: 'prepare', detail: 'topic bench-test' })
    await vi.dynamicImportSettled()
    await vi.waitFor(() => expect(textOf(stream)).toContain('prepare: topic bench-test'))
    live.onProgress(interval)
    live.onProgress({ type: 'note', text: 'a note' })
    const shown = textOf(stream)
    expect(shown).toContain('a note\n')
    expect(shown).toContain('measure 5.00s of 30.00s')
    expect(shown).not.toContain('\u001b[?25l')
    live.stop()
    live.onProgress({ type: 'note', text: 'too late' })
    expect(textOf(stream)).not.toContain('too late')
    expect(stream.clearLine).toHaveBeenCalled()
  })

  const group: ProgressEvent = {
    ...interval,
    failed: 12,
    lag: 123_456,
    members: [
      { name: 'consumer-1', generation: 3, partitions: [0, 1] },
      { name: 'consumer-2', generation: 3, partitions: [] },
      { name: 'consumer-3', generation: null, partitions: [] },
    ],
  }

  it('says of each member what it holds', () => {
    const stream = new PassThrough()
    const live = createLiveView({ stream, isTty: false, hasColor: false, quiet: false })
    live.onProgress(group)
    const many = Array.from({ length: 10 }, (_, index) => ({
      ...{ name: `m${index}`, generation: 1, partitions: [index] },
    }))
    live.onProgress({ ...group, members: many })
    const [first = '', second = ''] = textOf(stream).split('\n')
    expect(first.endsWith('consumer-1 [0-1] gen 3  consumer-2 [] gen 3  consumer-3 joining')).toBe(
      true,
    )
    expect(second.endsWith('m7 [7] gen 1  and 2 more')).toBe(true)
  })

  it.each([40, 60, 80, 120])(
    'never wraps on %d columns, and leaves nothing out',
    async (columns) => {
      const stream = new FakeTerminal()
      Object.assign(stream, { columns })
      const live = createLiveView({ stream, isTty: true, hasColor: false, quiet: false })
      for (const recordsPerSec of [1_000, 51_277, 2_000])
        live.onProgress({ ...group, recordsPerSec })
      let shown = ''
      await vi.dynamicImportSettled()
      await vi.waitFor(() => expect((shown += textOf(stream))).toContain('joining'))
      live.stop()
      // Only what is drawn: colours and movements of the cursor take no room.
      const lines = stripVTControlCharacters(shown).split('\n')
      for (const line of lines) expect(widthOf(line)).toBeLessThan(columns)
      for (const part of [
        ...['2,000 msg/s', '▁█▁', '12 FAILED', 'p99 5.90 ms', 'lag 123,456'],
        ...['consumer-1 [0-1] gen 3', 'consumer-2 [] gen 3', 'consumer-3 joining'],
      ]) {
        expect(shown).toContain(part)
      }
      expect(shown).not.toContain('\u001b[36m')
    },
  )

  it.each([true, false])('has a coloured spinner: %s', async (hasColor) => {
    const stream = new FakeTerminal()
    const live = createLiveView({ stream, isTty: true, hasColor, quiet: false })
    live.onProgress(interval)
    let shown = ''
    await vi.dynamicImportSettled()
    await vi.waitFor(() => expect((shown += textOf(stream))).toContain('measure 5.00s'))
    live.stop()
    expect(shown.includes('\u001b[36m')).toBe(hasColor)
  })

  it('shows no status line when it is stopped before it could start', async () => {
    const stream = new FakeTerminal()
    const live = createLiveView({ stream, isTty: true, hasColor: true, quiet: false })
    live.onProgress(interval)
    live.stop()
    await vi.dynamicImportSettled()
    expect(textOf(stream)).toBe('')
  })
})
