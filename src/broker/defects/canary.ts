import type { Defect } from './defect.ts'

/** So gross that a harness which does not report it reports nothing. */
export const canary: Defect = {
  name: 'canary',
  summary: 'answers every SyncGroup with an empty assignment',
  source: 'the fuzzer of TigerBeetle that must fail',
  apply: (parts) => ({
    ...parts,
    handlers: {
      ...parts.handlers,
      async SyncGroup(request, call, broker) {
        const response = await parts.handlers.SyncGroup(request, call, broker)
        return response && { ...response, assignment: Buffer.alloc(0) }
      },
    },
  }),
}
