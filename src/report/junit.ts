import { printable } from './box.ts'

/** JUnit's XML, which every CI server shows: one test case for each check, scenario or figure. */

export interface TestCase {
  name: string
  elapsedMs: number
  /** What was expected and seen; null when the case passed. */
  failure: string | null
  /** Why the case was not tried; null when it was. */
  skipped: string | null
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
}

/** XML 1.0 has no way to write most control characters, so they are shown as `?`. */
const escaped = (text: string): string =>
  text
    .split('\n')
    .map(printable)
    .join('\n')
    .replace(/[&<>"'\n]/g, (mark) => entities[mark] ?? mark)

const seconds = (elapsedMs: number): string => (elapsedMs / 1_000).toFixed(3)

const caseOf = (suite: string, { name, elapsedMs, failure, skipped }: TestCase): string => {
  const start = `  <testcase classname="${escaped(suite)}" name="${escaped(name)}" time="${seconds(elapsedMs)}"`
  if (failure !== null)
    return `${start}>\n    <failure message="${escaped(failure)}"/>\n  </testcase>\n`
  if (skipped !== null)
    return `${start}>\n    <skipped message="${escaped(skipped)}"/>\n  </testcase>\n`
  return `${start}/>\n`
}

/** One suite. Ends in a line feed. */
export const formatJunit = (suite: string, cases: readonly TestCase[]): string => {
  const failures = cases.filter(({ failure }) => failure !== null).length
  const skipped = cases.filter((one) => one.failure === null && one.skipped !== null).length
  const elapsedMs = cases.reduce((sum, one) => sum + one.elapsedMs, 0)
  const counts = `tests="${cases.length}" failures="${failures}" skipped="${skipped}"`
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<testsuite name="${escaped(suite)}" ${counts} time="${seconds(elapsedMs)}">\n`,
    ...cases.map((one) => caseOf(suite, one)),
    '</testsuite>\n',
  ].join('')
}
