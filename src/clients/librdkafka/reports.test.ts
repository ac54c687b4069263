import { expect, test } from 'vitest'
import type { RecordRun } from '../driver.ts'
import { failureOf, RunReports } from './reports.ts'

const kafkaCodes = new Map([['disk error when trying to access log file on disk', 56]])
const failureFor = (text: string) => failureOf(new Error(text), kafkaCodes)
const runOf = (count: number): RecordRun => ({ count }) as RecordRun

test('a run is complete with its last report and begins at its lowest offset', () => {
  const reports = new RunReports(runOf(3))
  reports.onDelivered(8)
  reports.onDelivered(7)
  expect(reports.isComplete).toBe(false)
  reports.onDelivered(9)
  expect(reports.isComplete).toBe(true)
  expect(reports.failure()).toBeNull()
  expect(reports.baseOffset).toBe(7)
})

test('records that were not queued count as reported, and fail the run for certain', () => {
  const reports = new RunReports(runOf(3))
  reports.onNotQueued(3, failureFor('Local: Queue full'))
  expect(reports.isComplete).toBe(true)
  expect(reports.failure()).toMatchObject({ isUnknown: false, message: 'Local: Queue full' })
})

test('a run that was delivered in part may have landed', () => {
  const reports = new RunReports(runOf(2))
  reports.onDelivered(0)
  reports.onFailure(failureFor('Broker: Message size too large'))
  expect(reports.failure()).toMatchObject({ isUnknown: true })
})

test('one unknown outcome stands for the whole run, in either order', () => {
  const certain = failureFor('Local: Purged in queue')
  const unknown = failureFor('Local: Purged in flight')
  for (const failures of [
    [certain, unknown],
    [unknown, certain],
  ]) {
    const reports = new RunReports(runOf(2))
    for (const failure of failures) reports.onFailure(failure)
    expect(reports.failure()).toMatchObject({ isUnknown: true, message: unknown.message })
  }
})

test.each([
  ['Local: Message timed out', true],
  ['message timed out', true],
  ['Broker: Request timed out', true],
  ['Broker: Not leader for partition', false],
  ['Local: Purged in queue', false],
  ['Local: Broker transport failure', true],
])('%s: unknown is %s', (message, isUnknown) => {
  expect(failureFor(message)).toMatchObject({ isUnknown, message })
})

test("what the broker refused has Kafka's code", () => {
  expect(failureFor('disk error when trying to access log file on disk').kafkaCode).toBe(56)
  expect(failureFor('Broker: Disk error when trying to access log file on disk').kafkaCode).toBe(56)
  expect(failureFor('Local: Queue full').kafkaCode).toBeNull()
})
