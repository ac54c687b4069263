import { api } from '../api.ts'
import {
  array,
  type Decoded,
  type Given,
  int16,
  int32,
  nullableSince,
  nullableString,
  string,
  uuid,
} from '../schema.ts'
import { between, since, struct, withDefault } from '../struct.ts'

/**
 * DeleteTopics (key 20), versions 1 to 6.
 *
 * 3: TOPIC_DELETION_DISABLED (KIP-322). 4: flexible (KIP-482). 5: error message (KIP-599). 6: by name or id (KIP-516).
 */

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  minVersion: 1,
  maxVersion: 6,
  flexibleFrom: 4,
  request: struct({
    topics: since(
      6,
      array(
        struct({
          name: withDefault(nullableString, null),
          topicId: uuid,
        }),
      ),
      [],
    ),
    topicNames: between(1, 5, array(string), []),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    responses: array(
      struct({
        name: nullableSince(6, string),
        topicId: since(6, uuid),
        errorCode: int16,
        errorMessage: since(5, nullableString, null),
      }),
    ),
  }),
})

export type DeleteTopicsRequest = Decoded<typeof deleteTopics.request>
export type DeleteTopicsResponse = Given<typeof deleteTopics.response>
