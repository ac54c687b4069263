/** Small checks of data that came from a file: each says at which field the data are not what a type promises. */

/** Null when `value` fits; else `path` and what is needed there, such as `totals.records: a number is needed`. */
export type Shape = (value: unknown, path: string) => string | null

const need = (path: string, what: string): string => `${path || 'the content'}: ${what} is needed`

export const text: Shape = (value, path) =>
  typeof value === 'string' ? null : need(path, 'a text')

export const number: Shape = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? null : need(path, 'a number')

export const truth: Shape = (value, path) =>
  typeof value === 'boolean' ? null : need(path, 'true or false')

export const oneOf =
  (...values: readonly (string | number)[]): Shape =>
  (value, path) =>
    values.some((allowed) => allowed === value) ? null : need(path, values.join(' or '))

export const either =
  (first: Shape, second: Shape, what: string): Shape =>
  (value, path) =>
    first(value, path) === null || second(value, path) === null ? null : need(path, what)

export const nullable =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? null : shape(value, path)

export const optional =
  (shape: Shape): Shape =>
  (value, path) =>
    value === undefined ? null : shape(value, path)

export const list =
  (item: Shape): Shape =>
  (value, path) => {
    if (!Array.isArray(value)) return need(path, 'a list')
    for (const [index, element] of value.entries()) {
      const problem = item(element, `${path}[${index}]`)
      if (problem !== null) return problem
    }
    return null
  }

type Known<T> = { [K in keyof T as string extends K ? never : K]: T[K] }

/** One shape for each field of `T`, so that a new field of the type cannot be forgotten; other fields may be there. */
export const record =
  <T>(fields: { [K in keyof Known<T>]-?: Shape }): Shape =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return need(path, 'an object')
    }
    const prefix = path === '' ? '' : `${path}.`
    for (const [name, shape] of Object.entries<Shape>(fields)) {
      const field = Object.hasOwn(value, name)
        ? (value as Record<string, unknown>)[name]
        : undefined
      const problem = shape(field, `${prefix}${name}`)
      if (problem !== null) return problem
    }
    return null
  }
