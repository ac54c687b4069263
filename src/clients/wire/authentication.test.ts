import { expect, test } from 'vitest'
import { createSaslExchange, mechanismName } from './authentication.ts'

const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null

test('PLAIN is one token of three parts', () => {
  const exchange = createSaslExchange({ mechanism: 'plain', username: 'ann', password: 'pw' })
  expect(text(exchange(null))).toBe('\0ann\0pw')
  expect(exchange(Buffer.alloc(0))).toBeNull()
})

const user = { mechanism: 'scram-sha-256', username: 'user', password: 'pencil' } as const
const serverFirst =
  'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
const begin = () => {
  const exchange = createSaslExchange(user, 'rOprNGfwEbeRWgbNEkqO')
  expect(text(exchange(null))).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  return exchange
}

test('SCRAM-SHA-256 says what the example of RFC 7677 says', () => {
  const exchange = begin()
  expect(text(exchange(Buffer.from(serverFirst)))).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  const final = Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  expect(exchange(final)).toBeNull()
})

test('a server that does not know the password is noticed', () => {
  const exchange = begin()
  exchange(Buffer.from(serverFirst))
  const forged = Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`)
  expect(() => exchange(forged)).toThrow('does not know the password')
  expect(() => begin()(Buffer.from('e=other-error'))).toThrow('SCRAM')
})

test.each([
  ['a nonce that is not ours', 'r=someone,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', 'nonce'],
  ['too few iterations', 'r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1', '1 iterations'],
  ['iterations without end', 'r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=99999999999', 'iterations'],
])('%s is refused', (_what, message, reason) => {
  expect(() => begin()(Buffer.from(message))).toThrow(reason)
})

test('names of SCRAM users are escaped, mechanisms are named as brokers name them', () => {
  const odd = { ...user, username: 'a=b,c' }
  expect(text(createSaslExchange(odd, 'x')(null))).toBe('n,,n=a=3Db=2Cc,r=x')
  expect(mechanismName(user)).toBe('SCRAM-SHA-256')
})
