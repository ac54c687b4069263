import { api } from '../api.ts'
import {
  array,
  bool,
  type Decoded,
  type Given,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  string,
} from '../schema.ts'
import { since, struct, withDefault } from '../struct.ts'

/**
 * DescribeConfigs (key 32), versions 1 to 4 (KIP-133).
 *
 * 1: source and synonyms (KIP-226). 3: type and documentation (KIP-569). 4: flexible (KIP-482).
 */

export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 1,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configurationKeys: nullableArray(string),
      }),
    ),
    includeSynonyms: withDefault(bool, false),
    includeDocumentation: since(3, bool, false),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        resourceType: int8,
        resourceName: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: bool,
            configSource: withDefault(int8, -1),
            isSensitive: bool,
            synonyms: array(
              struct({
                name: string,
                value: nullableString,
                source: int8,
              }),
            ),
            configType: since(3, int8, 0),
            documentation: since(3, nullableString),
          }),
        ),
      }),
    ),
  }),
})

export type DescribeConfigsRequest = Decoded<typeof describeConfigs.request>
export type DescribeConfigsResponse = Given<typeof describeConfigs.response>
