import { expect, it } from 'vitest'
import { golden } from '../../../test/support/golden.ts'
import { sampleMaxRate } from '../../../test/support/sample-max-rate.ts'
import { formatMaxRateHtml } from './max-rate.ts'

/** Without the style sheet and the data. */
const bodyOf = (html: string): string =>
  html.slice(html.indexOf('<body>'), html.indexOf('<script type="application/json"'))

const nothingHeld = { sustainedPerSec: null, exceededPerSec: 1, problem: 'Not even 1 msg/s holds.' }

it('has the curve, its ends and every step', () => {
  const body = bodyOf(formatMaxRateHtml(sampleMaxRate()))
  expect(body).toBe(golden('report/max-rate.html', body))
})

it.each([
  ['found', {}, ['40,000 msg/s', 'verdict good', '41,800 msg/s did not hold']],
  ['in doubt', { problem: 'Perhaps not.' }, ['verdict doubt', 'did not. Perhaps not.']],
  ['not final', { isConverged: false, problem: 'Why.' }, ['verdict doubt', 'Why.']],
  ['none', nothingHeld, ['No rate held', 'verdict bad', 'Not even 1 msg/s holds.']],
  ['one step', { steps: sampleMaxRate().steps.slice(0, 1) }, ['verdict good']],
  ['no step', { steps: [], sustainedPerSec: null, exceededPerSec: null }, ['No rate held']],
  [
    'no answer',
    { steps: sampleMaxRate().steps.map((step) => ({ ...step, p50Us: null, p99Us: null })) },
    ['n/a'],
  ],
])('says what was found and has no broken number (%s)', (_name, fields, texts) => {
  const body = bodyOf(formatMaxRateHtml(sampleMaxRate(fields)))
  for (const text of texts) expect(body).toContain(text)
  expect(body).not.toMatch(/NaN|Infinity|undefined|null/)
})
