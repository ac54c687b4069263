import { expect, test } from 'vitest'
import { loadScenario, parseScenario, scaleScenario, scenarioNames } from './load.ts'

const usual = `title: two members
guards: nothing
source: here
produce: { records: 10 }
members: { a: {}, b: { session: 3s } }
timeline:
  - { at: 0s, start: a }
  - { once: settled, wait: 500ms, start: [b] }
`

const problemsOf = (text: string): string[] => {
  try {
    parseScenario(text, 'x.yaml')
  } catch (error) {
    return (error as Error).message.split('\n')
  }
  return []
}

test('fills in what a file leaves out', () => {
  const scenario = parseScenario(usual, 'folder/x.yaml')
  expect(scenario).toMatchObject({
    name: 'x',
    topic: { partitions: 3, oldRecords: 0 },
    produce: { records: 10, concurrency: 64, when: 'before' },
    members: { a: { client: null, session: null }, b: { session: 3_000 } },
    group: { session: 6_000, assignor: 'range', commit: 'auto' },
    long: false,
    defect: null,
  })
  expect(scenario.timeline).toEqual([
    { at: 0, wait: null, once: null, action: 'start', members: ['a'] },
    { at: null, wait: 500, once: 'settled', action: 'start', members: ['b'] },
  ])
})

test.each([
  ['a field that is not there', 'partions: 3\n', 'x.yaml:9:1: partions: no such field'],
  ['a time without its unit', 'limit: 60\n', 'x.yaml:9:1: limit: '],
  [
    'a defect that is not there',
    'defect: { name: nope, check: fair-share }\n',
    'x.yaml:9:11: nope: ',
  ],
  [
    'a check that is not there',
    'defect: { name: canary, check: nope }\n',
    'x.yaml:9:25: defect.check',
  ],
  [
    'a broker setting that is not there',
    'broker: { no.such: 1 }\n',
    'x.yaml:9:1: broker setting no',
  ],
  ['a fault without an effect', 'faults: [{ api: JoinGroup }]\n', 'x.yaml:9:10: either drop'],
  ['YAML that is none', 'checks: [\n', 'x.yaml:10:1: '],
])('names file, line and column of %s', (_what, line, problem) => {
  expect(problemsOf(usual + line)[0]).toContain(problem)
})

test.each([
  ['  - { start: c }\n', 'c: no such member; there are a, b'],
  ['  - { start: a }\n', 'start a: the member is up by then'],
  ['  - { resume: a }\n', 'resume a: the member is up by then'],
  ['  - { stop: a, start: b }\n', 'one action is allowed, not start, stop'],
  ['  - {}\n', 'one of start, stop'],
  ['  - { produce: true }\n', 'produce.when: told belong together'],
])('refuses a timeline with %s', (line, problem) => {
  expect(problemsOf(usual + line)[0]).toContain(problem)
})

test('tells all problems at once', () => {
  const text = usual.replace('records: 10', 'records: -1').replace('start: a', 'start: c')
  expect(problemsOf(text).length).toBeGreaterThan(0)
  expect(
    problemsOf(usual.replace('title: two members\n', '').replace('source: here\n', '')),
  ).toHaveLength(2)
})

test('every scenario that comes with bench is one, and has a defect to be proved by', () => {
  const scenarios = scenarioNames().map((name) => loadScenario(name))
  expect(scenarios.length).toBeGreaterThan(25)
  expect(scenarios.filter(({ defect }) => defect === null).map(({ name }) => name)).toEqual([])
})

test('a name that is not there is told with those that are', () => {
  expect(() => loadScenario('nope')).toThrow(/no such scenario.*staggered-1s/)
})

test('scales the times of the story, and not those of the group', () => {
  const scaled = scaleScenario(parseScenario(usual, 'x.yaml'), 10)
  expect(scaled.timeline[1]?.wait).toBe(5_000)
  expect(scaled.members['b']?.session).toBe(3_000)
})
