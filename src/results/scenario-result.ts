import type { Check, Environment, Warning } from './result.ts'

/** The record of one scenario: what `results/*-scenario-*.json` holds. Plain data, schemaVersion 1. */

type ScenarioStatus = 'passed' | 'failed' | 'skipped' | 'interrupted'

export interface ScenarioResult {
  schemaVersion: 1
  kind: 'scenario'
  runId: string
  scenario: string
  title: string
  guards: string
  source: string
  /** The defect that the embedded broker was given; null for the correct one. */
  defect: string | null
  status: ScenarioStatus
  /** Why it was skipped, or what ended it before its time; null otherwise. */
  reason: string | null
  startedAt: string
  elapsedMs: number
  environment: Environment
  target: { kind: 'embedded' | 'external'; bootstrapServers: string }
  partitionCount: number
  members: ScenarioMemberResult[]
  partitions: ScenarioPartitionResult[]
  checks: Check[]
  timeline: ScenarioTimeline
  /** The decoded exchanges that explain a failure, a line each; empty when nothing failed. */
  explanation: string[]
  warnings: Warning[]
}

/** One life of a member: from the start of its process to the end of it. */
export interface ScenarioMemberResult {
  name: string
  /** From 1; a member that is started again has several. */
  life: number
  client: string
  memberIds: string[]
  startedAtMs: number
  firstAssignmentMs: number | null
  firstRecordMs: number | null
  generations: number[]
  /** What it owned when the story was over, or when it ended before. */
  partitions: number[]
  records: number
  end: 'stopped' | 'crashed' | 'gave-up' | 'stopped-at-end'
  /** What it told of errors that it lived with, each kind once; and why it gave up. */
  errors: string[]
}

export interface ScenarioPartitionResult {
  partition: number
  low: number
  high: number
  acked: number
  delivered: number
  committed: number | null
  lostInLog: number
  lostOnWay: number
  duplicates: number
  outOfOrder: number
  foreign: number
  corrupt: number
}

/** Members × time: who owned what, and what happened. Times in ms since the timeline began. */
export interface ScenarioTimeline {
  endMs: number
  rows: ScenarioRow[]
  /** When each generation began. */
  generations: { atMs: number; generation: number }[]
  marks: ScenarioMark[]
}

export interface ScenarioRow {
  member: string
  /** When its process ran. */
  lives: { fromMs: number; toMs: number }[]
  /** Spans without a gap in between have different partitions. */
  owned: { fromMs: number; toMs: number; partitions: number[] }[]
}

export interface ScenarioMark {
  atMs: number
  /** null: of the whole group. */
  member: string | null
  kind:
    | 'start'
    | 'stop'
    | 'crash'
    | 'restart'
    | 'pause'
    | 'resume'
    | 'commit'
    | 'produce'
    | 'fault'
    | 'end'
  text: string
}
