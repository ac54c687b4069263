/** An admin whose every answer comes within a limit, and at once with an error when the broker is gone. */
import type { Admin } from '../clients/driver.ts'
import type { Clock } from '../clock.ts'
import { SurroundingsError } from '../errors.ts'
import { lossOf } from './run-context.ts'
import { withTimeLimit } from './time-limit.ts'

type Call<Given extends unknown[], Answer> = (...given: Given) => Promise<Answer>

export const limitAdmin = (
  admin: Admin,
  clock: Clock,
  limitMs: number,
  lost: AbortSignal,
): Admin => {
  const limit =
    <Given extends unknown[], Answer>(
      what: string,
      call: Call<Given, Answer>,
    ): Call<Given, Answer> =>
    async (...given) => {
      const gone = (): SurroundingsError => new SurroundingsError(lossOf(lost) ?? '')
      if (lost.aborted) throw gone()
      const answered = new AbortController()
      const loss = new Promise<never>((_resolve, reject) => {
        const { signal } = answered
        lost.addEventListener('abort', () => reject(gone()), { once: true, signal })
      })
      try {
        const answer = withTimeLimit(clock, limitMs, what, call(...given))
        return await Promise.race([answer, loss])
      } finally {
        answered.abort()
      }
    }
  return {
    brokerVersion: limit('broker version', (...given) => admin.brokerVersion(...given)),
    partitionCount: limit('metadata', (...given) => admin.partitionCount(...given)),
    createTopic: limit('create topic', (...given) => admin.createTopic(...given)),
    deleteTopic: limit('delete topic', (...given) => admin.deleteTopic(...given)),
    watermarks: limit('watermarks', (...given) => admin.watermarks(...given)),
    committedOffsets: limit('committed offsets', (...given) => admin.committedOffsets(...given)),
    setCommittedOffsets: limit('set committed offsets', (...given) =>
      admin.setCommittedOffsets(...given),
    ),
    groupMembers: limit('group members', (...given) => admin.groupMembers(...given)),
    deleteGroup: limit('delete group', (...given) => admin.deleteGroup(...given)),
    listTopics: limit('list topics', (...given) => admin.listTopics(...given)),
    listGroups: limit('list groups', (...given) => admin.listGroups(...given)),
    close: limit('close', (...given) => admin.close(...given)),
  }
}
