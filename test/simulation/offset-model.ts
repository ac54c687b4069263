import type { AnswerOf, Exchange } from './exchange.ts'
import type { Blame } from './witness.ts'

/** What has been committed and acknowledged, held against what the coordinator says is committed (I9). */
export class OffsetModel {
  readonly #blame: Blame
  readonly #committed = new Map<number, number>()

  constructor(blame: Blame) {
    this.#blame = blame
  }

  onCommitted({ request }: Exchange<'OffsetCommit'>, { topics }: AnswerOf<'OffsetCommit'>): void {
    const acknowledged = new Set(
      topics.flatMap(({ partitions }) =>
        partitions.filter((each) => each.errorCode === 0).map((each) => each.partitionIndex),
      ),
    )
    for (const { partitions } of request.topics) {
      for (const { partitionIndex, committedOffset } of partitions) {
        if (acknowledged.has(partitionIndex)) this.#committed.set(partitionIndex, committedOffset)
      }
    }
    const askedCount = request.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
    const answeredCount = topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
    if (askedCount !== answeredCount) {
      this.#blame('I9', `${askedCount} partitions were committed, ${answeredCount} answered`)
    }
  }

  onFetched({ call, request }: Exchange<'OffsetFetch'>, answer: AnswerOf<'OffsetFetch'>): void {
    const isMany = call.version >= 8
    const asked = isMany ? request.groups[0]?.topics : request.topics
    const topics = (isMany ? answer.groups?.[0]?.topics : answer.topics) ?? []
    const partitions = topics.flatMap((topic) => [...topic.partitions])
    const expected = asked?.flatMap(({ partitionIndexes }) => partitionIndexes) ?? [
      ...this.#committed.keys(),
    ]
    const answered = partitions.map(({ partitionIndex }) => partitionIndex)
    if (answered.toSorted(ascending).join() !== expected.toSorted(ascending).join()) {
      this.#blame('I9', `offsets of ${expected.join()} were asked for, of ${answered.join()} told`)
    }
    for (const { partitionIndex, committedOffset } of partitions) {
      const committed = this.#committed.get(partitionIndex) ?? -1
      if (committedOffset === committed) continue
      const told = `is told to be at ${committedOffset}`
      this.#blame('I9', `partition ${partitionIndex} was committed at ${committed} and ${told}`)
    }
  }
}

const ascending = (a: number, b: number): number => a - b
