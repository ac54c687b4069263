import { defects } from '../../src/broker/defects/index.ts'
import { type BrokerParts, kafkaParts } from '../../src/broker/parts.ts'
import { directedSchedules } from './directed.ts'
import { drawSchedule } from './draw.ts'
import type { Schedule } from './schedule.ts'
import type { InvariantName, Violation } from './violation.ts'
import { play } from './world.ts'

/** Many schedules against one coordinator, correct or with a named defect, and what they found. */

/** Null: the correct coordinator. */
export type DefectName = string | null

/** Seeds `from` to `from + count - 1`, or with `isDirected` indexes of the directed schedules. */
export interface Task {
  readonly defect: DefectName
  readonly isDirected: boolean
  readonly from: number
  readonly count: number
}

export interface Finding {
  readonly schedule: string
  readonly violation: Violation
}

export interface TaskResult {
  readonly task: Task
  readonly foundCount: number
  readonly invariants: Partial<Record<InvariantName, number>>
  /** The first, in the order of the seeds. */
  readonly first: Finding | null
}

const groupApis = [
  'JoinGroup',
  'SyncGroup',
  'Heartbeat',
  'LeaveGroup',
  'OffsetCommit',
  'OffsetFetch',
] as const

/** Defects of what is simulated: the group's rules, and the handlers of its requests. */
export const groupDefects: readonly string[] = defects
  .filter(({ apply }) => {
    const { groupRules, handlers } = apply(kafkaParts)
    const isHandled = groupApis.some((api) => handlers[api] !== kafkaParts.handlers[api])
    return isHandled || groupRules !== kafkaParts.groupRules
  })
  .map(({ name }) => name)

export const partsWith = (defect: DefectName): BrokerParts =>
  defects.find(({ name }) => name === defect)?.apply(kafkaParts) ?? kafkaParts

/** By seed, or by the name of a directed one; null when there is none. */
export const findSchedule = (name: string): Schedule | null =>
  /^\d+$/.test(name)
    ? drawSchedule(Number(name))
    : (directedSchedules.find((schedule) => schedule.name === name) ?? null)

export const runTask = async (task: Task): Promise<TaskResult> => {
  const invariants: Partial<Record<InvariantName, number>> = {}
  let foundCount = 0
  let first: Finding | null = null
  for (let i = task.from; i < task.from + task.count; i++) {
    const schedule = task.isDirected ? directedSchedules[i] : drawSchedule(i)
    if (schedule === undefined) continue
    const { violation } = await play(partsWith(task.defect), schedule)
    if (violation === null) continue
    foundCount++
    invariants[violation.invariant] = (invariants[violation.invariant] ?? 0) + 1
    first ??= { schedule: schedule.name, violation }
  }
  return { task, foundCount, invariants, first }
}
