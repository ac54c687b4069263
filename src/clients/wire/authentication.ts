/** The client's side of SASL PLAIN (RFC 4616) and SCRAM (RFC 5802, RFC 7677) as a state machine over tokens. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SecurityOptions } from '../driver.ts'

type Sasl = NonNullable<SecurityOptions['sasl']>

/** Takes the server's token (null at first) and gives the next one to send; null when the exchange is done. */
export type SaslExchange = (token: Buffer | null) => Buffer | null

/** As the broker calls it in SaslHandshake. */
export const mechanismName = ({ mechanism }: Sasl): string => mechanism.toUpperCase()

/** Throws an Error in `next` when the server does not prove that it knows the password, or talks nonsense. */
export const createSaslExchange = (
  sasl: Sasl,
  nonce: string = randomBytes(18).toString('base64'),
): SaslExchange => {
  if (sasl.mechanism === 'plain') {
    return (token) => (token === null ? Buffer.from(`\0${sasl.username}\0${sasl.password}`) : null)
  }
  const hash = sasl.mechanism === 'scram-sha-256' ? 'sha256' : 'sha512'
  const scram = new Scram(hash, sasl, nonce)
  return (token) => scram.next(token)
}

const leastIterations = 4_096
const mostIterations = 10_000_000

class Scram {
  readonly #hash: 'sha256' | 'sha512'
  readonly #password: string
  readonly #nonce: string
  readonly #clientFirst: string
  #serverSignature: Buffer | null = null

  constructor(hash: 'sha256' | 'sha512', { username, password }: Sasl, nonce: string) {
    this.#hash = hash
    this.#password = password
    this.#nonce = nonce
    const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C')
    this.#clientFirst = `n=${name},r=${nonce}`
  }

  next(token: Buffer | null): Buffer | null {
    if (token === null) return Buffer.from(`n,,${this.#clientFirst}`)
    if (this.#serverSignature === null) return this.#prove(token.toString())
    this.#verify(token.toString(), this.#serverSignature)
    return null
  }

  #prove(serverFirst: string): Buffer {
    const { r: nonce = '', s: salt = '', i: count = '' } = attributesOf(serverFirst)
    const iterations = Number(count)
    if (!nonce.startsWith(this.#nonce)) throw new Error('SCRAM: the nonce is not ours')
    if (!(iterations >= leastIterations && iterations <= mostIterations)) {
      throw new Error(`SCRAM: ${count} iterations; at least ${leastIterations} are asked for`)
    }
    const bytes = this.#hash === 'sha256' ? 32 : 64
    const salted = pbkdf2Sync(
      this.#password,
      Buffer.from(salt, 'base64'),
      iterations,
      bytes,
      this.#hash,
    )
    const withoutProof = `c=biws,r=${nonce}`
    const message = `${this.#clientFirst},${serverFirst},${withoutProof}`
    const clientKey = this.#hmac(salted, 'Client Key')
    const storedKey = createHash(this.#hash).update(clientKey).digest()
    const signature = this.#hmac(storedKey, message)
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)))
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), message)
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`)
  }

  #verify(serverFinal: string, expected: Buffer): void {
    const { v: signature = '', e: refusal } = attributesOf(serverFinal)
    if (refusal !== undefined) throw new Error(`SCRAM: ${refusal}`)
    const given = Buffer.from(signature, 'base64')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new Error('SCRAM: the server does not know the password')
    }
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest()
  }
}

/** `r=abc,s=def` by letter; a value may hold `=`. */
const attributesOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
