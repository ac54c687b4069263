import type { Defect } from './defect.ts'

/** The number of offsets that v0 asks for is read as the next partition, and the answer has no list. */
export const listOffsetsV0AsV1: Defect = {
  name: 'list-offsets-v0-as-v1',
  summary: 'tells ListOffsets from v0 on, and reads and answers v0 in the form of v1',
  source: 'Chronik with kafka-python, which takes v0 when it is told; KIP-79',
  apply: (parts) => ({
    ...parts,
    messages: {
      ...parts.messages,
      ListOffsets: { ...parts.messages.ListOffsets, minVersion: 0, advertisedMinVersion: 0 },
    },
    handlers: {
      ...parts.handlers,
      ListOffsets: (request, call, broker) =>
        parts.handlers.ListOffsets(
          request,
          { ...call, version: Math.max(call.version, 1) },
          broker,
        ),
    },
  }),
}
