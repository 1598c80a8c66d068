import Handlebars from 'handlebars'
import { BadInput } from '../core/errors.ts'
import { suggestion } from '../core/intake/fields.ts'
import type { Source } from './source.ts'

/**
 * What a template may use. `messages` lists the arguments of each message in the catalog. The variables are those of
 * `sample`, in their scopes and with one item in each list, or `names`, in any scope.
 */
export type Known = { messages: Readonly<Record<string, readonly string[]>> } & (
  | { sample: object; names?: never }
  | { names: ReadonlySet<string>; sample?: never }
)

/**
 * Checks every Handlebars tag of a template, also in branches that a rendering would not take: syntax, blocks (`if`,
 * `unless`, `each`), messages (`{{t 'digest.lead' zone=zone}}`), and variables. Throws `BadInput` with file and line.
 */
export function checkTemplate(source: Source, known: Known): void {
  checkProgram(parse(source), [known.sample], { ...known, source })
}

/** Every variable that a template uses: `practice`, `problems.email`. Throws if it is not valid Handlebars. */
export function namesIn(text: string): Set<string> {
  const found = new Set<string>()
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const { type, parts } = node as { type?: string; parts?: string[] }
    if (type === 'PathExpression' && parts) found.add(parts.join('.'))
    for (const child of Object.values(node)) walk(child)
  }
  walk(Handlebars.parse(text))
  return found
}

/** Checks that every `mj-…` element is closed properly; MJML would guess. Throws `BadInput` with file and line. */
export function checkElements({ text: source, at }: Source): void {
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
          `${at(line)}: </${name}> closes nothing${opened ? `; <${opened.name}> from ${at(opened.line)} is still open` : ''}`,
        )
    }
  }
  const left = open.pop()
  if (left) throw new BadInput(`${at(left.line)}: <${left.name}> is never closed`)
}

/** MJML silently drops text between components, template tags included. Throws `BadInput` if `html` lacks one. */
export function checkNothingLost({ text: source, at }: Source, html: string): void {
  const kept = tagsIn(html).map(({ tag }) => tag)
  for (const { tag, line } of tagsIn(source)) {
    const place = kept.indexOf(tag)
    if (place === -1)
      throw new BadInput(
        `${at(line)}: ${tag} is between components, where MJML drops it; wrap it in <mj-raw>`,
      )
    kept.splice(place, 1)
  }
}

function parse({ text, at }: Source): hbs.AST.Program {
  try {
    return Handlebars.parse(text)
  } catch (error) {
    const { message, lineNumber } = error as Error & { lineNumber?: number }
    const line = lineNumber ?? Number(/on line (\d+)/.exec(message)?.[1] ?? 1)
    throw new BadInput(`${at(line)}: ${message}`)
  }
}

type Checked = Known & { source: Source }

/** `scopes` are the values of …, `../../`, `../..`, and `this`, in this order. */
function checkProgram(
  program: hbs.AST.Program | undefined,
  scopes: readonly unknown[],
  checked: Checked,
): void {
  for (const node of program?.body ?? []) {
    if (isMustache(node)) checkMustache(node, scopes, checked)
    else if (isBlock(node)) checkBlock(node, scopes, checked)
    else if (!PLAIN.has(node.type))
      throw refusal(node, checked, `{{${node.type}}} is not supported in templates`)
  }
}

const PLAIN = new Set(['ContentStatement', 'CommentStatement'])
const isMustache = (node: hbs.AST.Node): node is hbs.AST.MustacheStatement =>
  node.type === 'MustacheStatement'
const isBlock = (node: hbs.AST.Node): node is hbs.AST.BlockStatement => node.type === 'BlockStatement'

function checkMustache(node: hbs.AST.MustacheStatement, scopes: readonly unknown[], checked: Checked): void {
  if (!node.escaped) throw refusal(node, checked, 'triple braces print HTML unescaped; use double braces')
  if (node.path.type === 'PathExpression' && (node.path as hbs.AST.PathExpression).original === 't')
    return checkMessage(node, scopes, checked)
  if (node.params.length > 0 || node.hash?.pairs.length)
    throw refusal(node, checked, 'a variable takes no arguments')
  valueOf(node.path, scopes, checked)
}

/** `{{t 'key' name=value}}`: the message must exist, and its arguments must be exactly those it names (and `href`). */
function checkMessage(node: hbs.AST.MustacheStatement, scopes: readonly unknown[], checked: Checked): void {
  const [param] = node.params
  if (param?.type !== 'StringLiteral' || node.params.length > 1)
    throw refusal(node, checked, "t needs the key of one message; for example {{t 'mail.unsubscribe'}}")
  const key = (param as hbs.AST.StringLiteral).value
  const wanted = checked.messages[key]
  if (wanted === undefined)
    throw refusal(
      node,
      checked,
      `there is no message "${key}"${suggestion(key, Object.keys(checked.messages))}`,
    )
  const given = new Map((node.hash?.pairs ?? []).map((pair) => [pair.key, pair.value]))
  const lacking = wanted.find((name) => !given.has(name))
  if (lacking !== undefined) throw refusal(node, checked, `"${key}" needs ${lacking}=…`)
  for (const [name, value] of given) {
    if (name !== 'href' && !wanted.includes(name))
      throw refusal(node, checked, `"${key}" does not use {${name}}`)
    valueOf(value, scopes, checked)
  }
}

function checkBlock(node: hbs.AST.BlockStatement, scopes: readonly unknown[], checked: Checked): void {
  const helper = node.path.original
  const [subject] = node.params
  if (!['if', 'unless', 'each'].includes(String(helper)) || !subject)
    throw refusal(node, checked, `there is no block {{#${helper}}}; use if, unless, or each, with a variable`)
  const value = valueOf(subject, scopes, checked)
  if (helper === 'each' && !checked.names && !Array.isArray(value))
    throw refusal(node, checked, 'each needs a list')
  const inner = Array.isArray(value) && helper === 'each' ? [...scopes, value[0]] : scopes
  checkProgram(node.program, inner, checked)
  checkProgram(node.inverse, scopes, checked)
}

function valueOf(node: hbs.AST.Expression, scopes: readonly unknown[], checked: Checked): unknown {
  if (node.type !== 'PathExpression') return undefined
  const path = node as hbs.AST.PathExpression
  if (path.data) return undefined
  if (checked.names) {
    const name = path.parts.join('.')
    if (name !== '' && !checked.names.has(name))
      throw refusal(
        node,
        checked,
        `there is no variable "${name}" on this page${suggestion(name, checked.names)}`,
      )
    return undefined
  }
  let value = scopes.at(-1 - path.depth)
  for (const part of path.parts) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      throw refusal(
        node,
        checked,
        `there is no variable "${path.original}" here${whatThereIs(scopes.at(-1 - path.depth))}`,
      )
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

const whatThereIs = (scope: unknown): string =>
  typeof scope === 'object' && scope !== null ? `; there are ${Object.keys(scope).join(', ')}` : ''

const refusal = (node: hbs.AST.Node, { source }: Checked, message: string): BadInput =>
  new BadInput(`${source.at(node.loc.start.line)}: ${message}`)

const tagsIn = (source: string): { tag: string; line: number }[] =>
  [...source.matchAll(/\{\{(?!!)[^}]*\}\}/g)].map((match) => ({
    tag: match[0],
    line: lineAt(source, match.index),
  }))

const lineAt = (source: string, offset: number): number => source.slice(0, offset).split('\n').length
