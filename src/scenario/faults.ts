/** What a scenario's faults do to answers on the wire, counted per member and API. */
import type { Clock } from '../clock.ts'
import { sleep } from '../clock.ts'
import type { Exchange } from '../recorder/exchange.ts'
import type { AnswerFault } from '../recorder/proxy.ts'
import type { ScenarioFault } from './schema.ts'

/** The member of a client id: its later lives have a number behind it. */
export const memberOf = (clientId: string): string => clientId.replace(/\.\d+$/, '')

/** Decides for each request, as it is sent on, what shall become of its answer. */
export const faultsOf = (
  faults: readonly ScenarioFault[],
  clock: Clock,
  onFault: (member: string, text: string) => void,
): ((exchange: Exchange) => AnswerFault | null) => {
  const seen = new Map<string, number>()
  return ({ api, clientId }) => {
    const member = memberOf(clientId ?? '')
    const hit = faults.find((fault) => {
      if (fault.api !== api || (fault.members !== null && !fault.members.includes(member))) {
        return false
      }
      const key = `${faults.indexOf(fault)} ${member}`
      const nth = (seen.get(key) ?? 0) + 1
      seen.set(key, nth)
      return nth >= fault.nth && nth < fault.nth + fault.count
    })
    if (hit === undefined) return null
    const { delay } = hit
    return async () => {
      onFault(member, delay === null ? `${api} answer lost` : `${api} answer ${delay} ms late`)
      if (delay === null) return 'drop'
      await sleep(clock, delay)
      return 'pass'
    }
  }
}
