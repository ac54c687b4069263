import { expect, test } from 'vitest'
import { formatJunit } from './junit.ts'

test('passed, failed and skipped cases, with what XML cannot hold escaped', () => {
  const text = formatJunit('bench "scenarios"', [
    { name: 'staggered-1s', elapsedMs: 1_234, failure: null, skipped: null },
    { name: 'a<b', elapsedMs: 10, failure: 'expected 1\nactual \u001b[31m2', skipped: null },
    { name: 'java', elapsedMs: 0, failure: null, skipped: 'no java' },
  ])
  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="bench &quot;scenarios&quot;" tests="3" failures="1" skipped="1" time="1.244">
  <testcase classname="bench &quot;scenarios&quot;" name="staggered-1s" time="1.234"/>
  <testcase classname="bench &quot;scenarios&quot;" name="a&lt;b" time="0.010">
    <failure message="expected 1&#10;actual ?[31m2"/>
  </testcase>
  <testcase classname="bench &quot;scenarios&quot;" name="java" time="0.000">
    <skipped message="no java"/>
  </testcase>
</testsuite>
`)
})
