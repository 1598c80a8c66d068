import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Column, getTableColumns, type Placeholder, type SQL, sql } from './drizzle.ts'
import type { Queries } from './queries.ts'

// The few places where SQLite and Postgres use other words for the same thing.

/**
 * The rows of a JSON array of objects, as a table `each`; a field is `each.value ->> 'name'`, as text in Postgres. A
 * placeholder takes the JSON as text.
 */
export function rowsIn({ engine }: Queries, rows: readonly object[] | Placeholder): SQL {
  const json = jsonOf(rows)
  return engine === 'sqlite'
    ? sql`json_each(${json}) as each`
    : sql`jsonb_array_elements(${json}::jsonb) as each`
}

/** A whole number of a row of `rowsIn`. */
export const whole = (name: string): SQL => sql`cast(each.value ->> ${sql.raw(`'${name}'`)} as bigint)`

/** A text of a row of `rowsIn`; null where it is null. */
export const words = (name: string): SQL => sql`(each.value ->> ${sql.raw(`'${name}'`)})`

/** These ids, for `in`: one parameter however many there are. A placeholder takes them as JSON. */
export function idsIn({ engine }: Queries, ids: readonly number[] | Placeholder): SQL {
  const json = jsonOf(ids)
  return engine === 'sqlite'
    ? sql`(select value from json_each(${json}))`
    : sql`(select cast(value as bigint) from jsonb_array_elements_text(${json}::jsonb))`
}

const jsonOf = (given: readonly unknown[] | Placeholder): string | Placeholder =>
  Array.isArray(given) ? JSON.stringify(given) : (given as Placeholder)

/** The elements of a JSON array of numbers in a column, as a table with one column `value`. */
export function elementsOf({ engine }: Queries, column: SQL, name: string): SQL {
  const table = sql.identifier(name)
  return engine === 'sqlite'
    ? sql`json_each(${column}) as ${table}`
    : sql`jsonb_array_elements_text(${column}::jsonb) as ${table}(value)`
}

/** The larger of two; neither is null. */
export const larger = (one: SQL | Column, other: SQL | Column | Placeholder | number | string): SQL =>
  sql`case when ${one} > ${other} then ${one} else ${other} end`

/** Whether a value is a whole number: SQLite lets anything into a column, Postgres does not. */
export const isWhole = ({ engine }: Queries, column: Column): SQL =>
  engine === 'sqlite' ? sql`typeof(${column}) = 'integer'` : sql`true`

/** An aggregate: the rows as text, a JSON array of arrays, in this order. */
export const jsonRows = ({ engine }: Queries, columns: SQL, order: SQL): SQL =>
  engine === 'sqlite'
    ? sql`json_group_array(json_array(${columns}) order by ${order})`
    : sql`cast(json_agg(json_build_array(${columns}) order by ${order}) as text)`

/** A text of a JSON object in a column; null where there is none, and where another program wrote what is no JSON. */
export const fieldOf = ({ engine }: Queries, column: Column, name: string): SQL<string | null> =>
  engine === 'sqlite'
    ? sql`case when json_valid(${column}) then ${column} ->> ${sql.raw(`'${name}'`)} end`
    : sql`substring(${column} from ${sql.raw(`'"${name}":"([^"]*)"'`)})`

type Given = SQL | number | string | boolean | null

/** `insert into table (…) select … from …`; Postgres wants to know what each value is. */
export function insertFrom<Table extends SQLiteTable>(
  table: Table,
  values: { [Name in keyof Table['_']['columns']]?: Given },
  from: SQL,
): SQL {
  const columns: Record<string, { name: string } | undefined> = getTableColumns(table)
  const names = Object.keys(values).map((key) => sql.identifier(columns[key]?.name ?? key))
  const given = Object.values(values as Record<string, Given>).map(typed)
  return sql`insert into ${table} (${sql.join(names, sql`, `)}) select ${sql.join(given, sql`, `)} from ${from}`
}

function typed(value: Given): SQL {
  if (typeof value === 'number') return sql`cast(${value} as bigint)`
  if (typeof value === 'boolean') return value ? sql`1` : sql`0`
  if (typeof value === 'string') return sql`cast(${value} as text)`
  return value ?? sql`null`
}
