import type { Db } from '../db.ts'

/**
 * What a database has, each part as one line of plain words that begins with its name, whatever engine it is on.
 * Columns are in the order of their table, all else is sorted.
 */
export type Catalog = Record<(typeof PARTS)[number], string[]>

export const PARTS = [
  'tables',
  'columns',
  'keys',
  'indexes',
  'references',
  'checks',
  'views',
  'triggers',
] as const

/** One table's share of a catalog. */
export type TableParts = Pick<Catalog, 'columns' | 'keys' | 'indexes' | 'references' | 'checks'>

export type Client = Db['$client']

/** Says a condition on the rows of a table in words that are the same for the same condition. */
export type Say = (table: string, condition: string) => string

export const rowsOf = <Row>(client: Client, query: string): Row[] => client.prepare(query).all() as Row[]

/** Every condition as Postgres says it, which reads SQLite's text too: it is made a check, and taken back. */
export const sayWith =
  (postgres: Client): Say =>
  (table, condition) => {
    postgres.exec('begin')
    try {
      postgres.exec(`alter table ${table} add constraint said check (${condition})`)
      const said = "select pg_get_expr(conbin, conrelid) as said from pg_constraint where conname = 'said'"
      return rowsOf<{ said: string }>(postgres, said)[0]?.said ?? ''
    } finally {
      postgres.exec('rollback')
    }
  }

/** The catalog of these tables and the parts that belong to none. */
export function catalogOf(
  tables: Record<string, TableParts>,
  { views, triggers }: Pick<Catalog, 'views' | 'triggers'>,
): Catalog {
  const names = Object.keys(tables).sort()
  const all = (part: keyof TableParts) => names.flatMap((name) => tables[name]?.[part] ?? [])
  return {
    tables: names,
    columns: all('columns'),
    keys: all('keys'),
    indexes: all('indexes').sort(),
    references: all('references').sort(),
    checks: all('checks').sort(),
    views: views.sort(),
    triggers: triggers.sort(),
  }
}

type Column = {
  name: string
  kind: string
  required: boolean
  /** Null: the row must bring a value, or has null. `numbered`: the database gives it the next number. */
  initial: string | null
}

export const columnLine = (table: string, { name, kind, required, initial }: Column): string =>
  [`${table}.${name}: ${kind}`, required && 'not null', initial !== null && initial]
    .filter(Boolean)
    .join(', ')

export const keyLine = (table: string, columns: readonly string[]): string =>
  `${table}: (${columns.join(', ')})`

type Index = { name: string; unique: boolean; columns: readonly string[]; where: string | null }

export const indexLine = (table: string, { name, unique, columns, where }: Index): string =>
  `${name}: ${unique ? 'unique ' : ''}on ${table} (${columns.join(', ')})${where === null ? '' : ` where ${where}`}`

type Reference = {
  columns: readonly string[]
  parent: string
  parentColumns: readonly string[]
  onUpdate: string
  onDelete: string
}

/** As Postgres says it. */
export function referenceLine(table: string, { onUpdate, onDelete, ...reference }: Reference): string {
  const action = (when: string, what: string) =>
    what.toUpperCase() === 'NO ACTION' ? '' : ` ON ${when} ${what.toUpperCase()}`
  const { columns, parent, parentColumns } = reference
  return `${table}: FOREIGN KEY (${columns.join(', ')}) REFERENCES ${parent}(${parentColumns.join(', ')})${action('UPDATE', onUpdate)}${action('DELETE', onDelete)}`
}

/** When a trigger fires, one line for each event, from the statement that makes it. */
export function triggerLines(name: string, statement: string): string[] {
  const [, when = '', events = '', table = ''] =
    /^CREATE TRIGGER \S+ (BEFORE|AFTER|INSTEAD OF) (.+?) ON (?:public\.)?(\w+)/i.exec(
      statement.replaceAll(/\s+/g, ' '),
    ) ?? []
  return events.split(/ or /i).map((event) => {
    const [, what = '', columns] = /^(\w+)(?: of (.+))?$/i.exec(event) ?? []
    const some = columns ? ` of ${columns.split(', ').sort().join(', ')}` : ''
    return `${name}: ${when.toLowerCase()} ${what.toLowerCase()}${some} on ${table}`
  })
}
