/**
 * Integers as Kafka lays them, for what every request passes through: the checks in Buffer's methods cost more than the
 * reading. The caller has checked that the bytes are there and that a value fits.
 */

const twoTo32 = 2 ** 32

export const int16At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) >> 16) | bytes[at + 1]!

export const int32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/** As a double: exact to 2^53, rounded beyond. */
export const int64At = (bytes: Uint8Array, at: number): number =>
  int32At(bytes, at) * twoTo32 + (int32At(bytes, at + 4) >>> 0)

// These return where the next byte goes.
export const putInt16 = (bytes: Uint8Array, at: number, value: number): number => {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
  return at + 2
}

export const putInt32 = (bytes: Uint8Array, at: number, value: number): number => {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
  return at + 4
}

/** A whole number, exact to 2^53. */
export const putInt64 = (bytes: Uint8Array, at: number, value: number): number => {
  putInt32(bytes, at, Math.floor(value / twoTo32))
  return putInt32(bytes, at + 4, value)
}
