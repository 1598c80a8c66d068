import { createRequire } from 'node:module'
import type { Column, SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import * as installation from '../../src/db/schema/installation.ts'
import * as ledger from '../../src/db/schema/ledger.ts'
import * as operators from '../../src/db/schema/operators.ts'
import * as people from '../../src/db/schema/people.ts'
import * as sessions from '../../src/db/schema/sessions.ts'
import {
  type Catalog,
  catalogOf,
  columnLine,
  indexLine,
  keyLine,
  referenceLine,
  type Say,
  type TableParts,
} from './catalog.ts'

const load = createRequire(import.meta.url)
const { is, getTableName } = load('drizzle-orm') as typeof import('drizzle-orm')
const sqliteCore = load('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core')
const dialect = new sqliteCore.SQLiteSyncDialect()

/** What a database has according to `src/db/schema`, which knows no views and no triggers. */
export function drizzleCatalog(say: Say): Catalog {
  const exported: unknown[] = [installation, ledger, operators, people, sessions].flatMap((part) =>
    Object.values(part),
  )
  const tables = exported.filter((one) => is(one, sqliteCore.SQLiteTable))
  return catalogOf(Object.fromEntries(tables.map((table) => [getTableName(table), partsOf(table, say)])), {
    views: [],
    triggers: [],
  })
}

function partsOf(source: SQLiteTable, say: Say): TableParts {
  const { name: table, columns, ...parts } = sqliteCore.getTableConfig(source)
  const key = parts.primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)
  return {
    columns: columns.map((column) =>
      columnLine(table, {
        name: column.name,
        kind: column.getSQLType() === 'integer' ? 'whole number' : column.getSQLType(),
        required: column.notNull,
        initial: column.primary && column.getSQLType() === 'integer' ? 'numbered' : defaultOf(column),
      }),
    ),
    keys: [keyLine(table, namesOf(key))],
    indexes: [...indexesOf(source, say), ...uniquesOf(source)],
    references: parts.foreignKeys.map((reference) => {
      const { columns: from, foreignColumns, foreignTable } = reference.reference()
      return referenceLine(table, {
        columns: namesOf(from),
        parent: getTableName(foreignTable),
        parentColumns: namesOf(foreignColumns),
        onUpdate: reference.onUpdate ?? 'no action',
        onDelete: reference.onDelete ?? 'no action',
      })
    }),
    checks: parts.checks.map(({ name, value }) => `${table} ${name}: ${say(table, textOf(value))}`),
  }
}

function indexesOf(source: SQLiteTable, say: Say): string[] {
  const { name: table, indexes } = sqliteCore.getTableConfig(source)
  return indexes.map(({ config }) =>
    indexLine(table, {
      name: config.name,
      unique: config.unique,
      columns: config.columns.map((column) => ('name' in column ? column.name : 'an expression')),
      where: config.where ? say(table, textOf(config.where)) : null,
    }),
  )
}

/** Drizzle makes a unique index of each. */
function uniquesOf(source: SQLiteTable): string[] {
  const { name: table, columns, uniqueConstraints } = sqliteCore.getTableConfig(source)
  const unique = [
    ...uniqueConstraints.map((one) => ({ name: one.getName() ?? '', columns: namesOf(one.columns) })),
    ...columns
      .filter(({ isUnique }) => isUnique)
      .map((column) => ({ name: column.uniqueName ?? '', columns: [column.name] })),
  ]
  return unique.map((one) => indexLine(table, { ...one, unique: true, where: null }))
}

const namesOf = (columns: readonly Pick<Column, 'name'>[]): string[] => columns.map(({ name }) => name)

function defaultOf({ default: value }: Column): string | null {
  if (value === undefined) return null
  return `default ${typeof value === 'string' ? `'${value}'` : Number(value)}`
}

const textOf = (condition: SQL): string => dialect.sqlToQuery(condition).sql
