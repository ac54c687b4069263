/** Kafka's dotted client names (`-X name=value`) that a client has a setting for, and their allowed values. */
import { UsageError } from '../errors.ts'

export type Properties = Readonly<Record<string, string>>

type Property =
  | { type: 'integer'; min: number; max: number }
  | { type: 'boolean' }
  | { type: 'text' }

type PropertyTable = Readonly<Record<string, Property>>

export const integer = (min: number, max: number = 2 ** 31 - 1) =>
  ({ type: 'integer', min, max }) as const
export const boolean = { type: 'boolean' } as const
export const text = { type: 'text' } as const

const allowedValues = (property: Property): string => {
  if (property.type === 'integer') return `a whole number from ${property.min} to ${property.max}`
  return property.type === 'boolean' ? 'true or false' : 'a text of at least one character'
}

const isAllowed = (property: Property, value: string): boolean => {
  if (property.type === 'text') return value !== ''
  if (property.type === 'boolean') return value === 'true' || value === 'false'
  return /^\d+$/.test(value) && Number(value) >= property.min && Number(value) <= property.max
}

const check = (client: string, table: PropertyTable, properties: Properties): void => {
  for (const [name, value] of Object.entries(properties)) {
    const property = Object.hasOwn(table, name) ? table[name] : undefined
    if (property === undefined) {
      throw new UsageError(
        `client property ${name}: unknown to ${client}; known are ${Object.keys(table).join(', ')}`,
      )
    }
    if (!isAllowed(property, value)) {
      throw new UsageError(
        `client property ${name}=${value}: ${client} takes ${allowedValues(property)}`,
      )
    }
  }
}

type NameOf<Table extends PropertyTable, Type extends Property['type']> = {
  [Name in keyof Table]: Table[Name]['type'] extends Type ? Name & string : never
}[keyof Table]

/**
 * The properties of one client. `checkProperties` throws a `UsageError` that names the client, the property and what is
 * known or allowed; the others read a property that was checked.
 */
export const propertiesOf = <const Table extends PropertyTable>(client: string, table: Table) => ({
  checkProperties: (properties: Properties): void => check(client, table, properties),
  numberOf: (properties: Properties, name: NameOf<Table, 'integer'>, fallback: number): number =>
    properties[name] === undefined ? fallback : Number(properties[name]),
  booleanOf: (
    properties: Properties,
    name: NameOf<Table, 'boolean'>,
    fallback: boolean,
  ): boolean => (properties[name] === undefined ? fallback : properties[name] === 'true'),
  textOf: (properties: Properties, name: NameOf<Table, 'text'>, fallback: string): string =>
    properties[name] ?? fallback,
})
