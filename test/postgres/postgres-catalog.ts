import {
  type Catalog,
  type Client,
  catalogOf,
  columnLine,
  indexLine,
  keyLine,
  rowsOf,
  type Say,
  type TableParts,
  triggerLines,
} from './catalog.ts'

/** What a Postgres database has, as its own catalog says. */
export function postgresCatalog(client: Client, say: Say): Catalog {
  const names = (what: 'table' | 'view') =>
    rowsOf<{ name: string }>(
      client,
      `select ${what}name as name from pg_${what}s where schemaname = 'public'`,
    ).map(({ name }) => name)
  const tables = names('table').map((table) => [table, partsOf(client, table, say)] as const)
  return catalogOf(Object.fromEntries(tables), {
    views: names('view').map((view) =>
      keyLine(
        view,
        columnsOf(client, view).map(({ name }) => name),
      ),
    ),
    triggers: rowsOf<{ name: string; statement: string }>(
      client,
      `select tgname as name, pg_get_triggerdef(pg_trigger.oid) as statement from pg_trigger
       join pg_class on pg_class.oid = tgrelid
       where not tgisinternal and tgenabled <> 'D' and relnamespace = 'public'::regnamespace`,
    ).flatMap(({ name, statement }) => triggerLines(name, statement)),
  })
}

function partsOf(client: Client, table: string, say: Say): TableParts {
  const indexes = indexesOf(client, table)
  return {
    columns: columnsOf(client, table).map(({ name, type, collation, required, numbered, initial }) =>
      columnLine(table, {
        name,
        kind: KINDS[`${type} ${collation ?? ''}`] ?? `${type} collate ${collation ?? 'as the database does'}`,
        required,
        initial: numbered ? 'numbered' : defaultOf(initial),
      }),
    ),
    keys: indexes.filter(({ isKey }) => isKey).map(({ columns }) => keyLine(table, columns.map(plain))),
    indexes: indexes
      .filter(({ isKey }) => !isKey)
      .map(({ where, columns, ...index }) =>
        indexLine(table, { ...index, columns: columns.map(plain), where: where && say(table, where) }),
      ),
    references: constraintsOf(client, table, 'f').map(({ statement }) => `${table}: ${plain(statement)}`),
    checks: constraintsOf(client, table, 'c').map(
      ({ name, condition }) => `${table} ${name}: ${say(table, condition ?? '')}`,
    ),
  }
}

/** SQLite compares text byte by byte, and so does this collation. */
const KINDS: Record<string, string> = { 'bigint ': 'whole number', 'text C': 'text' }

type Column = {
  name: string
  type: string
  collation: string | null
  required: boolean
  numbered: boolean
  initial: string | null
}

const columnsOf = (client: Client, table: string) =>
  rowsOf<Column>(
    client,
    `select column_name as name, data_type as type, collation_name as collation, is_nullable = 'NO' as required,
       is_identity = 'YES' as numbered, column_default as initial
     from information_schema.columns where table_schema = 'public' and table_name = '${table}' order by ordinal_position`,
  )

/** `'0'::bigint` is `0`, and `'en'::text` is `'en'`. */
const defaultOf = (given: string | null): string | null =>
  given === null
    ? null
    : `default ${given.replace(/^'(-?\d+)'::bigint$/, '$1').replace(/^('[^']*')::text$/, '$1')}`

type Index = { name: string; unique: boolean; isKey: boolean; where: string | null; columns: string[] }

const indexesOf = (client: Client, table: string) =>
  rowsOf<Index>(
    client,
    `select relname as name, indisunique as "unique", indisprimary as "isKey", pg_get_expr(indpred, indrelid) as "where",
       array(select pg_get_indexdef(indexrelid, n, true) || case when indoption[n - 1] & 1 = 1 then ' desc' else '' end
         from generate_series(1, indnkeyatts) n) as columns
     from pg_index join pg_class on pg_class.oid = indexrelid where indisvalid and indrelid = '${table}'::regclass`,
  )

type Constraint = { name: string; statement: string; condition: string | null }

const constraintsOf = (client: Client, table: string, type: 'c' | 'f') =>
  rowsOf<Constraint>(
    client,
    `select conname as name, pg_get_constraintdef(oid) as statement, pg_get_expr(conbin, conrelid) as condition
     from pg_constraint where contype = '${type}' and conrelid = '${table}'::regclass`,
  )

/** Without the quotes that Postgres puts around a name that is also a word of SQL. */
const plain = (words: string): string => words.replaceAll('"', '')
