import { api } from '../api.ts'
import { array, bool, type Decoded, type Given, int16, int32, int64, string } from '../schema.ts'
import { since, struct, tagged } from '../struct.ts'

/**
 * ApiVersions (key 18), versions 0 to 4: what the broker serves.
 * The response header is plain in every version, so that clients can read the answer to a version not served (KIP-511).
 *
 * 3: flexible (KIP-482), name and version of the client software (KIP-511), features (KIP-584).
 * 4: a feature may have minimum version 0 (KIP-1022).
 *
 * Not done: 5, which checks cluster and node id (KIP-1242).
 */

export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    clientSoftwareName: since(3, string),
    clientSoftwareVersion: since(3, string),
  }),
  response: struct({
    errorCode: int16,
    apiKeys: array(
      struct({
        apiKey: int16,
        minVersion: int16,
        maxVersion: int16,
      }),
    ),
    throttleTimeMs: since(1, int32, 0),
    supportedFeatures: tagged(
      0,
      3,
      array(
        struct({
          name: string,
          minVersion: int16,
          maxVersion: int16,
        }),
      ),
    ),
    finalizedFeaturesEpoch: tagged(1, 3, int64, -1),
    finalizedFeatures: tagged(
      2,
      3,
      array(
        struct({
          name: string,
          maxVersionLevel: int16,
          minVersionLevel: int16,
        }),
      ),
    ),
    zkMigrationReady: tagged(3, 3, bool),
  }),
})

export type ApiVersionsRequest = Decoded<typeof apiVersions.request>
export type ApiVersionsResponse = Given<typeof apiVersions.response>
