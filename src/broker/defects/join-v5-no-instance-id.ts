import { joinGroup } from '../../protocol/messages/join-group.ts'
import { array, bytes, nullableString, string } from '../../protocol/schema.ts'
import { since, struct } from '../../protocol/struct.ts'
import type { Defect } from './defect.ts'

/** The table of JoinGroup, where members have their group instance id from version 6 on, one too late. */
const response = struct({
  ...joinGroup.response.fields,
  members: array(
    struct({
      memberId: string,
      groupInstanceId: since(6, nullableString, null),
      metadata: bytes,
    }),
  ),
})

/** Every leader that speaks v5 reads a member's metadata as its instance id, and gives up at the end of the frame. */
export const joinV5NoInstanceId: Defect = {
  name: 'join-v5-no-instance-id',
  summary: 'leaves the group instance id out of each member in JoinGroup v5',
  source: 'Chronik 2.5 with librdkafka: "Protocol read buffer underflow for JoinGroup v5"; KIP-345',
  apply: (parts) => ({
    ...parts,
    messages: { ...parts.messages, JoinGroup: { ...parts.messages.JoinGroup, response } },
  }),
}
