import type { Api } from '../protocol/api.ts'
import type { ApiName, RequestOf, ResponseOf } from '../protocol/messages/index.ts'
import type { Handler } from './context.ts'
import { createApiVersionsHandler } from './handlers/api-versions.ts'

/** The table of what the broker serves. What ApiVersions tells is computed from it, so the two cannot differ. */

export type Messages = Readonly<Record<ApiName, Api>>

/** One for each API but ApiVersions. */
export type Handlers = {
  readonly [N in Exclude<ApiName, 'ApiVersions'>]: Handler<RequestOf<N>, ResponseOf<N>>
}

/** An API with what answers it; the types of its values have been checked where the two were put together. */
export interface ServedApi {
  readonly api: Api
  readonly handle: Handler<never, unknown>
}

/** By API key. */
export type ServedApis = ReadonlyMap<number, ServedApi>

export const serveApis = (messages: Messages, handlers: Handlers): ServedApis => {
  const apis = Object.values(messages).filter((api) => api.maxVersion >= api.minVersion)
  const all = { ...handlers, ApiVersions: createApiVersionsHandler(apis) }
  const names = (Object.keys(all) as ApiName[]).filter((name) => apis.includes(messages[name]))
  return new Map(
    names.map((name) => [messages[name].key, { api: messages[name], handle: all[name] }]),
  )
}
