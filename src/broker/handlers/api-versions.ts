import type { Api } from '../../protocol/api.ts'
import { errorCode } from '../../protocol/errors.ts'
import type {
  ApiVersionsRequest,
  ApiVersionsResponse,
} from '../../protocol/messages/api-versions.ts'
import type { Handler } from '../context.ts'

/**
 * ApiVersions: v0-4
 * Behaviour: the ranges of the served table, in the order of their keys. No features.
 * Version notes: v3 names the client's software (KIP-511), INVALID_REQUEST if it is empty or malformed. A version beyond
 * the range never comes here: the connection answers it itself.
 */
export const createApiVersionsHandler = (
  apis: readonly Api[],
): Handler<ApiVersionsRequest, ApiVersionsResponse> => {
  const apiKeys = apis.map(rangeOf).toSorted((a, b) => a.apiKey - b.apiKey)
  return ({ clientSoftwareName, clientSoftwareVersion }, { version }) =>
    version >= 3 && !(isSoftwareWord(clientSoftwareName) && isSoftwareWord(clientSoftwareVersion))
      ? { ...noFeatures, errorCode: errorCode.INVALID_REQUEST, apiKeys: [] }
      : { ...noFeatures, errorCode: 0, apiKeys }
}

const noFeatures = { supportedFeatures: [], finalizedFeatures: [], zkMigrationReady: false }

const rangeOf = ({ key, advertisedMinVersion, maxVersion }: Api) => ({
  apiKey: key,
  minVersion: advertisedMinVersion,
  maxVersion,
})

/** ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN. */
const isSoftwareWord = (text: string): boolean =>
  /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(text)
