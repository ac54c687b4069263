import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { systemClock } from '../../src/clock.ts'
import { didYouMean, messageOf, UsageError } from '../../src/errors.ts'
import { type DefectName, findSchedule, groupDefects, partsWith, type Task } from './battery.ts'
import { directedSchedules } from './directed.ts'
import { runTasks, threadCount } from './pool.ts'
import { figure, Tally, tableOf } from './tally.ts'
import { invariants } from './violation.ts'
import { play } from './world.ts'

/** `npm run simulate`: the group coordinator, correct and with each defect, in thousands of simulated lives. */

const usage = `npm run simulate -- [options]

  --seeds N      random schedules per defect (default 2,000), ten times as many for the correct coordinator
  --defect NAME  only this defect; none: only the correct coordinator
  --seed S       play one schedule, a number or the name of a directed one, and print what happens
  --write        put the tables into docs/SIMULATION.md
`

// From dist/test/simulation, where this runs.
const documentFile = fileURLToPath(new URL('../../../docs/SIMULATION.md', import.meta.url))
/** In the document: what follows is written anew. */
const mark = '<!-- made -->'
const taskSize = 100
const progressMs = 1_000
const correctFactor = 10

const parse = () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      defect: { type: 'string' },
      seed: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const seedCount = Number(values.seeds)
  if (!Number.isSafeInteger(seedCount) || seedCount < 0) {
    throw new UsageError(`--seeds ${values.seeds}: a whole number is allowed`)
  }
  const { defect = null } = values
  const names = ['none', ...groupDefects]
  if (defect !== null && !names.includes(defect)) {
    throw new UsageError(
      `--defect ${defect}: allowed are ${names.join(', ')}${didYouMean(defect, names)}`,
    )
  }
  return { ...values, seedCount, defect }
}

const replay = async (name: string, defect: DefectName): Promise<number> => {
  const schedule = findSchedule(name)
  if (schedule === null) {
    const names = directedSchedules.map((each) => each.name)
    throw new UsageError(
      `--seed ${name}: allowed are numbers, ${names.join(', ')}${didYouMean(name, names)}`,
    )
  }
  const trace: string[] = []
  const { violation } = await play(partsWith(defect), schedule, trace)
  process.stdout.write(`${JSON.stringify(schedule, null, 1)}\n${trace.join('\n')}\n`)
  if (violation === null) return 0
  const { invariant, text } = violation
  process.stdout.write(`\n${invariant}, ${invariants[invariant]}:\n${text}\n`)
  return 1
}

const tasksOf = (defect: DefectName, seedCount: number): Task[] => {
  const count = defect === null ? seedCount * correctFactor : seedCount
  const tasks: Task[] = [{ defect, isDirected: true, from: 0, count: directedSchedules.length }]
  for (let from = 0; from < count; from += taskSize) {
    // The first seed is 1.
    tasks.push({
      defect,
      isDirected: false,
      from: from + 1,
      count: Math.min(taskSize, count - from),
    })
  }
  return tasks
}

const progress = (total: number) => {
  const beganNs = systemClock.nowNs()
  let [done, toldNs] = [0, beganNs]
  return {
    add(count: number): void {
      done += count
      if (systemClock.nowNs() - toldNs < progressMs * 1e6) return
      toldNs = systemClock.nowNs()
      const [end, begin] = process.stderr.isTTY ? ['', '\r\u001b[K'] : ['\n', '']
      process.stderr.write(`${begin}simulated ${figure(done)} of ${figure(total)}${end}`)
    },
    end(): string {
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
      const sec = (systemClock.nowNs() - beganNs) / 1e9
      const { user, system } = process.cpuUsage()
      const cpuSec = (user + system) / 1e6
      const rate = `${figure(Math.round(done / sec))} per second on ${threadCount} threads`
      const perCpu = `${figure(Math.round(done / cpuSec))} per second of CPU`
      return `${figure(done)} schedules in ${sec.toFixed(1)} s: ${rate}, ${perCpu}`
    },
  }
}

const write = (table: string): void => {
  const [before = ''] = readFileSync(documentFile, 'utf8').split(`\n${mark}`)
  const rows = Object.entries(invariants).map(([name, text]) => `| ${name} | ${text} |`)
  const parts = [
    `${before}\n${mark}`,
    '## What must hold',
    ['| | |', '| --- | --- |', ...rows].join('\n'),
    '## What finds what',
    'Of the seeds of each defect how many violated an invariant, and of the directed schedules.',
    table,
  ]
  writeFileSync(documentFile, `${parts.join('\n\n')}\n`)
}

const simulate = async (only: string | null, seedCount: number, isWritten: boolean) => {
  const all: DefectName[] = [null, ...groupDefects]
  const chosen = all.filter((defect) => only === null || (defect ?? 'none') === only)
  const tallies = chosen.map((defect) => new Tally(defect))
  const tasks = chosen.flatMap((defect) => tasksOf(defect, seedCount))
  const line = progress(tasks.reduce((sum, { count }) => sum + count, 0))
  await runTasks(tasks, (result) => {
    tallies.find(({ defect }) => defect === result.task.defect)?.add(result)
    line.add(result.task.count)
  })
  const table = tableOf(tallies)
  process.stdout.write(`${table}\n${line.end()}\n`)
  if (isWritten) write(table)
  const wrong = tallies.filter(({ isRight }) => !isRight)
  for (const { defect, firstDirected, firstSeed } of wrong) {
    const first = firstDirected ?? firstSeed
    process.stdout.write(
      first === null
        ? `FAIL ${defect}: no schedule has found it\n`
        : `FAIL the correct coordinator is blamed in ${first.schedule}: ${first.violation.invariant}, ${first.violation.text}\n`,
    )
  }
  return wrong.length === 0 ? 0 : 1
}

try {
  const { help, seed, defect, seedCount, write: isWritten } = parse()
  if (help) process.stdout.write(usage)
  else if (seed === undefined) process.exitCode = await simulate(defect, seedCount, isWritten)
  else process.exitCode = await replay(seed, defect)
} catch (error) {
  process.stderr.write(`simulate: ${messageOf(error)}\n`)
  process.exitCode = 2
}
