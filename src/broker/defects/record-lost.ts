import type { Defect } from './defect.ts'

const lostEvery = 5

/** The producer is told that its records are safe, and they are not in the log: only a count against the watermark sees it. */
export const recordLost: Defect = {
  name: 'record-lost',
  summary: `acknowledges every ${lostEvery}th Produce request without storing its records`,
  source:
    'lost-write of Jepsen’s Kafka workload; "lost in the log" of Kafka’s ProduceConsumeValidateTest',
  apply(parts) {
    let requests = 0
    return {
      ...parts,
      handlers: {
        ...parts.handlers,
        Produce(request, call, broker) {
          requests++
          if (requests % lostEvery !== 0) return parts.handlers.Produce(request, call, broker)
          if (request.acks === 0) return null
          const responses = request.topicData.map(({ name, partitionData }) => ({
            name,
            partitionResponses: partitionData.map(({ index }) => {
              const log = broker.topics.partition(name, index)
              return { index, errorCode: 0, baseOffset: log?.logEndOffset ?? 0 }
            }),
          }))
          return { responses }
        },
      },
    }
  },
}
