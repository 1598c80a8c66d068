import Handlebars from 'handlebars'
import { BadInput } from './core/errors.ts'

/**
 * Checks the Handlebars tags of a template against the data it will be given: syntax, blocks (`if`, `unless`, `each`),
 * and that `sample` has every variable, also in branches that a rendering of it would not take.
 * `sample` needs one item in each of its lists. Throws `BadInput` with file and line.
 */
export function checkVariables(source: string, file: string, sample: object): void {
  checkProgram(parse(source, file), [sample], file)
}

/** Checks that every `mj-…` element is closed where it should be (MJML would guess). Throws `BadInput` with file and line. */
export function checkElements(source: string, file: string): void {
  const open: { name: string; line: number }[] = []
  const withoutComments = source.replace(/<!--.*?-->/gs, (comment) => comment.replace(/[^\n]/g, ' '))
  for (const match of withoutComments.matchAll(/<(\/?)(mj[\w-]*)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
    const [, closes, name = '', empty] = match
    const line = lineAt(source, match.index)
    if (!closes && !empty) open.push({ name, line })
    if (closes) {
      const opened = open.pop()
      if (opened?.name !== name)
        throw new BadInput(
          `${file}:${line}: </${name}> closes nothing${opened ? `; <${opened.name}> of line ${opened.line} is open` : ''}`,
        )
    }
  }
  const left = open.pop()
  if (left) throw new BadInput(`${file}:${left.line}: <${left.name}> is never closed`)
}

/** MJML silently drops text between components, and template tags with it. Throws `BadInput` when `html` lacks one. */
export function checkNothingLost(source: string, html: string, file: string): void {
  const kept = tagsIn(html).map(({ tag }) => tag)
  for (const { tag, line } of tagsIn(source)) {
    const place = kept.indexOf(tag)
    if (place === -1)
      throw new BadInput(
        `${file}:${line}: ${tag} stands between components, where MJML drops it; put it into <mj-raw>`,
      )
    kept.splice(place, 1)
  }
}

function parse(source: string, file: string): hbs.AST.Program {
  try {
    return Handlebars.parse(source)
  } catch (error) {
    const { message, lineNumber } = error as Error & { lineNumber?: number }
    const line = lineNumber ?? /on line (\d+)/.exec(message)?.[1] ?? 1
    throw new BadInput(`${file}:${line}: ${message}`)
  }
}

/** `scopes` are the values that `this`, `../`, `../../` … stand for, the innermost last. */
function checkProgram(program: hbs.AST.Program | undefined, scopes: readonly unknown[], file: string): void {
  for (const node of program?.body ?? []) {
    if (isMustache(node)) checkMustache(node, scopes, file)
    else if (isBlock(node)) checkBlock(node, scopes, file)
    else if (!PLAIN.has(node.type))
      throw refusal(node, file, `{{${node.type}}} is not something our templates do`)
  }
}

const PLAIN = new Set(['ContentStatement', 'CommentStatement'])
const isMustache = (node: hbs.AST.Node): node is hbs.AST.MustacheStatement =>
  node.type === 'MustacheStatement'
const isBlock = (node: hbs.AST.Node): node is hbs.AST.BlockStatement => node.type === 'BlockStatement'

function checkMustache(node: hbs.AST.MustacheStatement, scopes: readonly unknown[], file: string): void {
  if (!node.escaped) throw refusal(node, file, 'triple braces print HTML as it is; use two')
  if (node.params.length > 0) throw refusal(node, file, 'a variable takes no arguments')
  valueOf(node.path, scopes, file)
}

function checkBlock(node: hbs.AST.BlockStatement, scopes: readonly unknown[], file: string): void {
  const helper = node.path.original
  const [subject] = node.params
  if (!['if', 'unless', 'each'].includes(String(helper)) || !subject)
    throw refusal(node, file, `{{#${helper}}} is not a block we have; use if, unless or each with a variable`)
  const value = valueOf(subject, scopes, file)
  if (helper === 'each' && !Array.isArray(value)) throw refusal(node, file, 'each needs a list')
  const inner = Array.isArray(value) && helper === 'each' ? [...scopes, value[0]] : scopes
  checkProgram(node.program, inner, file)
  checkProgram(node.inverse, scopes, file)
}

function valueOf(node: hbs.AST.Expression, scopes: readonly unknown[], file: string): unknown {
  if (node.type !== 'PathExpression') return undefined
  const path = node as hbs.AST.PathExpression
  if (path.data) return undefined
  let value = scopes.at(-1 - path.depth)
  for (const part of path.parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      throw refusal(
        node,
        file,
        `there is no variable "${path.original}" here${suggestion(scopes.at(-1 - path.depth))}`,
      )
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

const suggestion = (scope: unknown): string =>
  typeof scope === 'object' && scope !== null ? `; there are ${Object.keys(scope).join(', ')}` : ''

const refusal = (node: hbs.AST.Node, file: string, message: string): BadInput =>
  new BadInput(`${file}:${node.loc.start.line}: ${message}`)

const tagsIn = (source: string): { tag: string; line: number }[] =>
  [...source.matchAll(/\{\{(?!!)[^}]*\}\}/g)].map((match) => ({
    tag: match[0],
    line: lineAt(source, match.index),
  }))

const lineAt = (source: string, offset: number): number => source.slice(0, offset).split('\n').length
