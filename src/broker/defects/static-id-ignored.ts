import type { BrokerParts } from '../parts.ts'
import type { Defect } from './defect.ts'

const withoutInstance = <R extends { readonly groupInstanceId: string | null }>(request: R): R => ({
  ...request,
  groupInstanceId: null,
})

const handlersOf = ({ handlers }: BrokerParts): BrokerParts['handlers'] => ({
  ...handlers,
  JoinGroup: (request, ...rest) => handlers.JoinGroup(withoutInstance(request), ...rest),
  SyncGroup: (request, ...rest) => handlers.SyncGroup(withoutInstance(request), ...rest),
  Heartbeat: (request, ...rest) => handlers.Heartbeat(withoutInstance(request), ...rest),
  OffsetCommit: (request, ...rest) => handlers.OffsetCommit(withoutInstance(request), ...rest),
})

/** The restart of a member makes everyone rebalance, twice. */
export const staticIdIgnored: Defect = {
  name: 'static-id-ignored',
  summary: 'takes static members for dynamic ones',
  source: 'KIP-345: a static member that comes back causes no rebalance',
  apply: (parts) => ({ ...parts, handlers: handlersOf(parts) }),
}
