import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableString,
  string,
} from '../schema.ts'
import { struct, withDefault } from '../struct.ts'

/**
 * IncrementalAlterConfigs (key 44), versions 0 to 1 (KIP-339).
 * Operations: 0 set, 1 delete, 2 append, 3 subtract.
 *
 * 1: flexible (KIP-482).
 */

export const incrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 1,
  request: struct({
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configs: array(
          struct({
            name: string,
            configOperation: int8,
            value: nullableString,
          }),
        ),
      }),
    ),
    validateOnly: bool,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    responses: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        resourceType: int8,
        resourceName: string,
      }),
    ),
  }),
})

export type IncrementalAlterConfigsRequest = Decoded<typeof incrementalAlterConfigs.request>
export type IncrementalAlterConfigsResponse = Given<typeof incrementalAlterConfigs.response>
