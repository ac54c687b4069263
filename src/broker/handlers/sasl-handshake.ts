import { errorCode } from '../../protocol/errors.ts'
import type {
  SaslHandshakeRequest,
  SaslHandshakeResponse,
} from '../../protocol/messages/sasl-handshake.ts'
import type { Handler } from '../context.ts'

/**
 * SaslHandshake: v0-1
 * Behaviour: as on a PLAINTEXT listener of Kafka, every mechanism is refused with ILLEGAL_SASL_STATE; the connection stays open.
 */
export const handleSaslHandshake: Handler<SaslHandshakeRequest, SaslHandshakeResponse> = () => ({
  errorCode: errorCode.ILLEGAL_SASL_STATE,
  mechanisms: [],
})
