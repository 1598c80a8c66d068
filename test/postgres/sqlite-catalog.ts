import {
  type Catalog,
  type Client,
  catalogOf,
  columnLine,
  indexLine,
  keyLine,
  referenceLine,
  rowsOf,
  type Say,
  type TableParts,
  triggerLines,
} from './catalog.ts'

type Made = { name: string; sql: string }

/** What a SQLite database has, as its own catalog says. */
export function sqliteCatalog(client: Client, say: Say): Catalog {
  const made = (type: string) =>
    rowsOf<Made>(
      client,
      `select name, sql from sqlite_schema where type = '${type}' and name not like 'sqlite\\_%' escape '\\'`,
    )
  const tables = made('table').map((table) => [table.name, partsOf(client, table, say)] as const)
  return catalogOf(Object.fromEntries(tables), {
    views: made('view').map(({ name }) =>
      keyLine(
        name,
        columnsOf(client, name).map((column) => column.name),
      ),
    ),
    // Where Postgres has one trigger for several events, SQLite has one for each.
    triggers: made('trigger').flatMap(({ name, sql }) =>
      triggerLines(name.replace(/_(insert|update|delete)$/, ''), sql),
    ),
  })
}

function partsOf(client: Client, { name: table, sql }: Made, say: Say): TableParts {
  const columns = columnsOf(client, table)
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
  // https://www.sqlite.org/lang_createtable.html#rowids_and_the_integer_primary_key
  const numbered = key.length === 1 && key[0]?.type.toUpperCase() === 'INTEGER' && !/without rowid/i.test(sql)
  return {
    columns: columns.map(({ name, type, notnull, dflt_value, pk }) =>
      columnLine(table, {
        name,
        kind: KINDS[type.toUpperCase()] ?? type,
        required: notnull === 1,
        initial: numbered && pk === 1 ? 'numbered' : defaultOf(dflt_value),
      }),
    ),
    keys: [
      keyLine(
        table,
        key.map(({ name }) => name),
      ),
    ],
    indexes: indexesOf(client, table, say),
    references: referencesOf(client, table),
    checks: checksIn(sql).map(([name, condition]) => `${table} ${name}: ${say(table, condition)}`),
  }
}

type Column = { name: string; type: string; notnull: 0 | 1; dflt_value: string | null; pk: number }

const columnsOf = (client: Client, table: string) =>
  rowsOf<Column>(client, `select * from pragma_table_xinfo('${table}') order by cid`)

const KINDS: Record<string, string> = { INTEGER: 'whole number', TEXT: 'text' }

const defaultOf = (given: string | null): string | null =>
  given === null ? null : `default ${given === 'false' ? '0' : given}`

type Index = { name: string; unique: 0 | 1; partial: 0 | 1; sql: string | null }
type IndexColumn = { name: string | null; desc: 0 | 1; coll: string }

function indexesOf(client: Client, table: string, say: Say): string[] {
  const indexes = rowsOf<Index>(
    client,
    `select list.name, list."unique", list.partial, made.sql from pragma_index_list('${table}') list
     join sqlite_schema made on made.name = list.name where list.origin <> 'pk'`,
  )
  return indexes.map(({ name, unique, partial, sql }) => {
    const columns = rowsOf<IndexColumn>(
      client,
      `select name, "desc", coll from pragma_index_xinfo('${name}') where key = 1 order by seqno`,
    )
    const said = columns.map((column) =>
      [column.name ?? 'an expression', column.desc && 'desc', column.coll !== 'BINARY' && column.coll]
        .filter(Boolean)
        .join(' '),
    )
    const where = partial ? say(table, (sql ?? '').split(/\swhere\s/i).at(-1) ?? '') : null
    return indexLine(table, { name, unique: unique === 1, columns: said, where })
  })
}

type Reference = { id: number; table: string; from: string; to: string; on_update: string; on_delete: string }

function referencesOf(client: Client, table: string): string[] {
  const rows = rowsOf<Reference>(client, `select * from pragma_foreign_key_list('${table}') order by id, seq`)
  return Object.values(Object.groupBy(rows, ({ id }) => id)).map((all = []) =>
    referenceLine(table, {
      columns: all.map(({ from }) => from),
      parent: all[0]?.table ?? '',
      parentColumns: all.map(({ to }) => to),
      onUpdate: all[0]?.on_update ?? '',
      onDelete: all[0]?.on_delete ?? '',
    }),
  )
}

/** The checks of a table, which only the statement that makes it has. */
function checksIn(sql: string): [name: string, condition: string][] {
  const found = [...sql.matchAll(/(?:constraint\s+["`]?(\w+)["`]?\s+)?\bcheck\s*\(/gi)]
  return found.map((check) => {
    const start = check.index + check[0].length
    return [check[1] ?? 'without a name', sql.slice(start, endOf(sql, start))]
  })
}

/** Where the parenthesis closes that was opened before `start`. */
function endOf(sql: string, start: number): number {
  let depth = 1
  let at = start
  for (; depth > 0 && at < sql.length; at += 1) {
    if (sql[at] === '(') depth += 1
    if (sql[at] === ')') depth -= 1
  }
  return at - 1
}
