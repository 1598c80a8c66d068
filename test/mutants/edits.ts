import {
  isAwaitExpression,
  isBinaryExpression,
  isBlock,
  isCallExpression,
  isConditionalExpression,
  isExpressionStatement,
  isIdentifier,
  isIfStatement,
  isNumericLiteral,
  isParenthesizedExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isReturnStatement,
  isStringLiteral,
  isTemplateExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'

/** Replaces the text from `start` up to `end`. */
export type Edit = { start: number; end: number; text: string }

/** Every small mistake that can be made at a node itself; its children have their own. */
export function editsAt(node: Node): Edit[] {
  return MISTAKES.flatMap((mistakes) => mistakes(node))
}

const MISTAKES = [
  otherOperator,
  oneSideOnly,
  notNegated,
  otherLiteral,
  fixedCondition,
  noCall,
  negatedReturn,
  noTerm,
  noEarlyReturn,
  noFilter,
  otherExtreme,
]

const OTHER: Record<string, string> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '==': '!=',
  '!=': '==',
  '&&': '||',
  '||': '&&',
  '+': '-',
  '-': '+',
  '+=': '-=',
  '-=': '+=',
}

const COMPARISONS = ['<', '<=', '>', '>=', '===', '!==', '==', '!=', 'in', 'instanceof']

function otherOperator(node: Node): Edit[] {
  if (!isBinaryExpression(node)) return []
  const { operatorToken, left, right } = node
  const other = OTHER[operatorToken.getText()]
  if (other === undefined || isText(left) || isText(right)) return []
  return [replace(operatorToken, other)]
}

const isText = (node: Node) => isStringLiteral(node) || isTemplateExpression(node)

function oneSideOnly(node: Node): Edit[] {
  if (!isBinaryExpression(node) || node.operatorToken.getText() !== '??') return []
  return [node.left, node.right].map((side) => replace(node, `(${side.getText()})`))
}

function notNegated(node: Node): Edit[] {
  return isNot(node) ? [replace(node, node.getText().slice(1))] : []
}

const isNot = (node: Node) => isPrefixUnaryExpression(node) && node.operator === SyntaxKind.ExclamationToken

const LARGEST_COUNT = 100

function otherLiteral(node: Node): Edit[] {
  if (node.kind === SyntaxKind.TrueKeyword) return [replace(node, 'false')]
  if (node.kind === SyntaxKind.FalseKeyword) return [replace(node, 'true')]
  if (!isNumericLiteral(node)) return []
  const number = Number(node.getText().replaceAll('_', ''))
  // Of a wait in milliseconds, or of another limit, one more is no mistake.
  return number > LARGEST_COUNT ? [] : [replace(node, String(number + 1))]
}

function fixedCondition(node: Node): Edit[] {
  const condition = isIfStatement(node)
    ? node.expression
    : isConditionalExpression(node)
      ? node.condition
      : undefined
  return condition ? ['true', 'false'].map((fixed) => replace(condition, fixed)) : []
}

function noCall(node: Node): Edit[] {
  if (!isExpressionStatement(node)) return []
  const { expression } = node
  const called = isAwaitExpression(expression) ? expression.expression : expression
  if (!isCallExpression(called) || isLogCall(called) || isFailpoint(called)) return []
  return [replace(node, ';')]
}

/** Whether this writes to the log, which no test reads word for word. */
export const isLogCall = (node: Node): boolean =>
  isCallExpression(node) && /\blog\.\w+$/.test(node.expression.getText())

/** Whether this is where torture may break in; otherwise it does nothing. */
const isFailpoint = (called: Node) => called.getText().startsWith('failpoint(')

/** Negates what is returned, except where another mistake does: `===`, `!==` and `!`. */
function negatedReturn(node: Node): Edit[] {
  if (!isReturnStatement(node) || !node.expression || !isBoolean(node.expression)) return []
  const { expression } = node
  const isNegatedElsewhere =
    isNot(expression) || (isBinaryExpression(expression) && /^[!=]=/.test(expression.operatorToken.getText()))
  return isNegatedElsewhere ? [] : [replace(expression, `!(${expression.getText()})`)]
}

const YES_OR_NO = /^(is|has|can|may|was|should)[A-Z]|^(some|every|includes|has|test|startsWith|endsWith)$/

function isBoolean(node: Node): boolean {
  if (isParenthesizedExpression(node)) return isBoolean(node.expression)
  if (isCallExpression(node)) return YES_OR_NO.test(/\w*$/.exec(node.expression.getText())?.[0] ?? '')
  if (!isBinaryExpression(node)) return isNot(node)
  const operator = node.operatorToken.getText()
  if (operator === '&&' || operator === '||') return isBoolean(node.left) && isBoolean(node.right)
  return COMPARISONS.includes(operator)
}

/** A term less in a query's `and(…)` or `or(…)`. */
function noTerm(node: Node): Edit[] {
  if (!isCallExpression(node) || !/^(and|or)$/.test(node.expression.getText())) return []
  const terms = node.arguments
  if (terms.length < 2) return []
  return terms.map((term, index) => {
    const next = terms[index + 1]
    const before = terms[index - 1]
    if (next) return { start: term.getStart(), end: next.getStart(), text: '' }
    return { start: before?.end ?? term.getStart(), end: term.end, text: '' }
  })
}

/** A `return` after other statements of an `if`. A lone one is left out with a condition that is always false. */
function noEarlyReturn(node: Node): Edit[] {
  if (!isIfStatement(node) || node.elseStatement || !isBlock(node.thenStatement)) return []
  const { statements } = node.thenStatement
  const last = statements.at(-1)
  return last && isReturnStatement(last) && statements.length > 1 ? [replace(last, ';')] : []
}

function noFilter(node: Node): Edit[] {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return []
  const { name, expression } = node.expression
  return name.getText() === 'filter' ? [{ start: expression.end, end: node.end, text: '' }] : []
}

function otherExtreme(node: Node): Edit[] {
  if (!isPropertyAccessExpression(node) || !isIdentifier(node.name)) return []
  const text = node.getText()
  if (text === 'Math.min') return [replace(node.name, 'max')]
  return text === 'Math.max' ? [replace(node.name, 'min')] : []
}

const replace = (node: Node, text: string): Edit => ({ start: node.getStart(), end: node.end, text })
