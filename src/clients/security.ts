/** What all clients share of TLS and SASL: reading the files, and keeping the password out of messages. */
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
