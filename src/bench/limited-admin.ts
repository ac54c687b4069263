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
      let onLost = (): void => {}
      const loss = new Promise<never>((_resolve, reject) => {
        onLost = () => reject(gone())
        lost.addEventListener('abort', onLost, { once: true })
      })
      try {
        const answer = withTimeLimit(clock, limitMs, what, call.apply(admin, given))
        return await Promise.race([answer, loss])
      } finally {
        lost.removeEventListener('abort', onLost)
      }
    }
  return {
    brokerVersion: limit('broker version', admin.brokerVersion),
    partitionCount: limit('metadata', admin.partitionCount),
    createTopic: limit('create topic', admin.createTopic),
    deleteTopic: limit('delete topic', admin.deleteTopic),
    watermarks: limit('watermarks', admin.watermarks),
    committedOffsets: limit('committed offsets', admin.committedOffsets),
    setCommittedOffsets: limit('set committed offsets', admin.setCommittedOffsets),
    groupMembers: limit('group members', admin.groupMembers),
    deleteGroup: limit('delete group', admin.deleteGroup),
    listTopics: limit('list topics', admin.listTopics),
    listGroups: limit('list groups', admin.listGroups),
    close: limit('close', admin.close),
  }
}
