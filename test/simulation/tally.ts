import type { DefectName, Finding, TaskResult } from './battery.ts'
import type { InvariantName } from './violation.ts'

/** What has been found of one coordinator so far, and the table of all. */

export class Tally {
  readonly defect: DefectName
  seedCount = 0
  seedsFound = 0
  directedCount = 0
  directedFound = 0
  firstSeed: Finding | null = null
  firstDirected: Finding | null = null
  readonly #invariants = new Map<InvariantName, number>()
  #firstFrom = Number.POSITIVE_INFINITY

  constructor(defect: DefectName) {
    this.defect = defect
  }

  get foundCount(): number {
    return this.seedsFound + this.directedFound
  }

  /** Whether it is as it must be: a defect found, the correct coordinator not blamed. */
  get isRight(): boolean {
    return (this.defect === null) === (this.foundCount === 0)
  }

  add({ task, foundCount, invariants, first }: TaskResult): void {
    if (task.isDirected) {
      this.directedCount += task.count
      this.directedFound += foundCount
      this.firstDirected ??= first
    } else {
      this.seedCount += task.count
      this.seedsFound += foundCount
      if (first !== null && task.from < this.#firstFrom) {
        this.#firstFrom = task.from
        this.firstSeed = first
      }
    }
    for (const [name, count] of Object.entries(invariants) as [InvariantName, number][]) {
      this.#invariants.set(name, (this.#invariants.get(name) ?? 0) + count)
    }
  }

  /** As cells of a table row. */
  row(): string[] {
    const invariants = [...this.#invariants].toSorted(([, a], [, b]) => b - a)
    return [
      this.defect ?? 'none',
      `${figure(this.seedsFound)} of ${figure(this.seedCount)}`,
      this.firstSeed?.schedule.replace('seed ', '') ?? '–',
      `${this.directedFound} of ${this.directedCount}`,
      invariants.map(([name]) => name).join(', ') || '–',
    ]
  }
}

export const figure = (count: number): string => count.toLocaleString('en-US')

const headings = ['defect', 'random', 'first seed', 'directed', 'invariants violated']

/** In Markdown, aligned so that it reads well as text. */
export const tableOf = (tallies: readonly Tally[]): string => {
  const rows = [headings, ...tallies.map((tally) => tally.row())]
  const widths = headings.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  const lineOf = (cells: readonly string[], fill: string): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width, fill)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [head, [], ...body].map((cells, i) => lineOf(cells, i === 1 ? '-' : ' ')).join('\n')
}
