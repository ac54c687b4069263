import { expect, test } from 'vitest'
import { LatencyRecorder } from './latency.ts'

const run = {
  count: 3,
  intendedAtNs: Float64Array.of(0, 1_000_000, 2_000_000),
  sentAtNs: 4_000_000,
}

test('response counts from the intended time, service from the send', () => {
  const recorder = new LatencyRecorder()
  recorder.recordRun(run, 5_000_000)
  expect(recorder.response.count).toBe(3)
  expect(recorder.response.percentile(0)).toBeGreaterThanOrEqual(3000)
  expect(recorder.response.percentile(0)).toBeLessThan(3003)
  expect(recorder.response.max).toBeGreaterThanOrEqual(5000)
  expect(recorder.service.count).toBe(3)
  expect(recorder.service.max).toBe(1000)
})

test('an interval holds what came since the last one, the run holds all', () => {
  const recorder = new LatencyRecorder()
  recorder.recordRun(run, 5_000_000)
  expect(recorder.takeInterval().count).toBe(3)
  expect(recorder.takeInterval()).toEqual({ count: 0, p50Us: null, p99Us: null })
  recorder.recordResponse(7)
  expect(recorder.takeInterval()).toEqual({ count: 1, p50Us: 7, p99Us: 7 })
  expect(recorder.response.count).toBe(4)
})

test('reset forgets the warm-up', () => {
  const recorder = new LatencyRecorder()
  recorder.recordRun(run, 5_000_000)
  recorder.reset()
  expect(recorder.response.toLatency()).toBeNull()
  expect(recorder.service.toLatency()).toBeNull()
  expect(recorder.takeInterval().count).toBe(0)
})
