import { isTaggedTemplateExpression, type Node } from 'typescript/unstable/ast'
import type { Edit } from './edits.ts'

/** A word or operator of SQL, and what replaces it. `unless`: what the SQL before it must not look like. */
type Mistake = { word: RegExp; text: string; unless?: RegExp }

const MISTAKES: Mistake[] = [
  { word: /(?<![<>=!])<(?![=>])/g, text: '<=' },
  { word: /<=/g, text: '<' },
  { word: /(?<![-<>=])>(?![>=])/g, text: '>=' },
  { word: />=/g, text: '>' },
  // Not where `set` assigns.
  { word: /(?<![<>=!:])=(?![=>])/g, text: '<>', unless: /\bset\b(?!.*\bwhere\b)/is },
  { word: /<>|!=/g, text: '=' },
  { word: /\bis not null\b/gi, text: 'is null' },
  { word: /\bis null\b/gi, text: 'is not null' },
  { word: /\bnot exists\b/gi, text: 'exists', unless: /\bif\s+$/i },
  { word: /\bexists\b/gi, text: 'not exists', unless: /\b(if|not)\s+$/i },
  // Not the `and` that belongs to `between`.
  { word: /\band\b/gi, text: 'or', unless: /\bbetween\b(?!.*\band\b)/is },
  { word: /\basc\b/gi, text: 'desc' },
  { word: /\bdesc\b/gi, text: 'asc' },
]

/** Every small mistake in the SQL of a tagged template; what stands between `${` and `}` is not SQL. */
export function sqlEditsAt(node: Node): Edit[] {
  if (!isTaggedTemplateExpression(node) || node.tag.getText() !== 'sql') return []
  const start = node.template.getStart()
  const sql = onlySql(node.template.getText(), holesOf(node.template, start))
  return MISTAKES.flatMap(({ word, text, unless }) =>
    [...sql.matchAll(word)]
      .filter(({ index }) => !unless?.test(sql.slice(0, index)))
      .map(({ index, 0: found }) => ({ start: start + index, end: start + index + found.length, text })),
  )
}

type Range = { from: number; to: number }

/** Where the template has an expression, relative to its start. */
function holesOf(template: Node, start: number): Range[] {
  const holes: Range[] = []
  template.forEachChild((span) => {
    span.forEachChild((child) => {
      const isLiteral = /^[`}]/.test(child.getText())
      if (!isLiteral) holes.push({ from: child.pos - start, to: child.end - start })
    })
  })
  return holes
}

/** The SQL with its holes and its quoted words blanked out, so that everything stays where it is. */
function onlySql(text: string, holes: readonly Range[]): string {
  const blank = (found: string) => '_'.repeat(found.length)
  const withoutHoles = holes.reduce(
    (sql, { from, to }) => sql.slice(0, from) + '_'.repeat(to - from) + sql.slice(to),
    text,
  )
  return withoutHoles.replace(/'[^']*'/g, blank)
}
