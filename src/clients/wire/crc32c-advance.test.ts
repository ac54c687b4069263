import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import { advanceTable, register, windowTables } from './crc32c-advance.ts'

test('the register is the one of crc32c', () => {
  expect(~register(-1, Buffer.from('123456789'), 0, 9) >>> 0).toBe(0xe3069283)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(~register(-1, bytes, 0, bytes.length) >>> 0).toBe(crc32c(bytes))
    }),
  )
})

test('a register is advanced over zeros, and a window adds what its bytes leave', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 600 }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      (start, gapBytes, window) => {
        const size = gapBytes + window.length
        const table = advanceTable(size)
        let advanced = 0
        for (let place = 0; place < 4; place++) {
          advanced ^= table[256 * place + ((start >>> (8 * place)) & 0xff)] as number
        }
        expect(advanced).toBe(register(start, new Uint8Array(size), 0, size))
        const windowTable = windowTables(window.length)
        let left = advanced
        window.forEach((byte, place) => {
          left ^= windowTable[256 * place + byte] as number
        })
        const bytes = Buffer.concat([Buffer.alloc(gapBytes), window])
        expect(left).toBe(register(start, bytes, 0, size))
      },
    ),
  )
})
