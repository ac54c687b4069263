/** Throws when the two are not the same as JSON. */
export const equal = (what, actual, expected) => {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value) ?? 'nothing')
  if (is !== should) throw new Error(`${what} is ${is.slice(0, 300)}, not ${should.slice(0, 300)}`)
}
