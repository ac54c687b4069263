/** What all clients share of TLS and SASL: reading the files, keeping the password out of messages, and hints. */
import { readFileSync } from 'node:fs'
import { messageOf, UsageError } from '../errors.ts'
import type { ConnectionOptions, SecurityOptions } from './driver.ts'

const readOption = (option: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${messageOf(error)}`, { cause: error })
  }
}

/** Throws a `UsageError` when a file cannot be read. */
export const readTlsFiles = (
  tls: NonNullable<SecurityOptions['tls']>,
): { ca?: string[]; cert?: string; key?: string } => ({
  ...(tls.caFile === null ? {} : { ca: [readOption('--tls-ca', tls.caFile)] }),
  ...(tls.certFile === null ? {} : { cert: readOption('--tls-cert', tls.certFile) }),
  ...(tls.keyFile === null ? {} : { key: readOption('--tls-key', tls.keyFile) }),
})

/** The message without the password, should a broker or a library repeat it. */
export const redact = (message: string, connection: ConnectionOptions): string => {
  const password = connection.security.sasl?.password ?? ''
  return password === '' ? message : message.replaceAll(password, '***')
}

/** What to look at after a failure of TLS. */
export const tlsHint =
  ' (is it a TLS listener, and does --tls-ca name the authority of its certificate?)'

/** What a listener that closes a new connection may want; empty when it has all of it. */
export const closedHint = ({ tls, sasl }: SecurityOptions): string => {
  if (tls === null) return ' (a TLS listener needs --tls, a SASL listener --sasl)'
  return sasl === null ? ' (a SASL listener needs --sasl)' : ''
}
