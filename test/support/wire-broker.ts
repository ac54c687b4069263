import type { BrokerContext, Call } from '../../src/broker/context.ts'
import { GroupCoordinator } from '../../src/broker/group/coordinator.ts'
import { type BrokerParts, kafkaParts } from '../../src/broker/parts.ts'
import { parseSettings } from '../../src/broker/settings.ts'
import { memoryJournal } from '../../src/broker/store/journal.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/api.ts'
import { type ApiName, apis, type RequestOf } from '../../src/protocol/messages/index.ts'
import type { Decoded } from '../../src/protocol/schema.ts'
import { dataContext } from './broker-context.ts'
import type { ManualClock } from './manual-clock.ts'

/** A broker of any parts on virtual time, asked in Kafka's own bytes. */
export interface WireBroker {
  readonly clock: ManualClock
  readonly context: BrokerContext
  /** A client's request and what that client reads out of the answer; rejects with a `WireError` when it cannot. */
  readonly ask: <N extends ApiName>(
    name: N,
    version: number,
    request: Partial<RequestOf<N>>,
    clientId?: string,
  ) => Promise<Decoded<(typeof apis)[N]['response']>>
}

export const wireBroker = (parts: BrokerParts = kafkaParts): WireBroker => {
  const { broker: data, clock } = dataContext()
  let nextId = 1
  const groups = new GroupCoordinator({
    clock,
    settings: parseSettings(),
    journal: memoryJournal(),
    log: (line) => data.log(line),
    newMemberId: (prefix) => `${prefix}-${nextId++}`,
    rules: parts.groupRules,
  })
  const context: BrokerContext = { ...data, groups }
  const call: Omit<Call, 'version' | 'clientId'> = {
    clientHost: '/127.0.0.1',
    closed: new AbortController().signal,
  }
  return {
    clock,
    context,
    async ask(name, version, request, clientId = 'client') {
      const api = parts.messages[name]
      const bytes = Buffer.concat(encodeRequest(apis[name], version, request as never))
      const handle = parts.handlers[name as Exclude<ApiName, 'ApiVersions'>]
      const response = await handle(
        decodeRequest(api, version, bytes) as never,
        { ...call, version, clientId },
        context,
      )
      const answered = Buffer.concat(encodeResponse(api, version, response as never))
      return decodeResponse(apis[name], version, answered) as never
    },
  }
}
