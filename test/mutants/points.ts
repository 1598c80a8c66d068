import { join } from 'node:path'
import {
  isExportDeclaration,
  isImportDeclaration,
  isInterfaceDeclaration,
  isNewExpression,
  isTypeAliasDeclaration,
  isTypeNode,
  type Node,
  type SourceFile,
} from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'
import { type Edit, editsAt, isLogCall } from './edits.ts'
import { sqlEditsAt } from './sql-edits.ts'

/** One change to one file. `source` is the line it starts on, `change` what is shown of it. */
export type Mutant = Edit & { file: string; line: number; source: string; change: string }

/** Every mutant of these files, whose paths are relative to `folder`. */
export function mutantsOf(folder: string, files: readonly string[]): Mutant[] {
  const api = new API({ cwd: folder })
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(folder, 'tsconfig.json')] })
    const program = snapshot.getProjects()[0]?.program
    return files.flatMap((file) => {
      const source = program?.getSourceFile(join(folder, file))
      if (!source) throw new Error(`the TypeScript project does not have ${file}`)
      return mutantsIn(file, source)
    })
  } finally {
    api.close()
  }
}

function mutantsIn(file: string, source: SourceFile): Mutant[] {
  const known = new Set<string>()
  return editsUnder(source)
    .filter(({ start, end, text }) => {
      const key = `${start} ${end} ${text}`
      return !known.has(key) && known.add(key)
    })
    .map((edit) => described(file, source.text, edit))
}

function editsUnder(node: Node): Edit[] {
  if (isLeftAlone(node)) return []
  const edits = [...editsAt(node), ...sqlEditsAt(node)]
  node.forEachChild((child) => {
    edits.push(...editsUnder(child))
  })
  return edits
}

/** Imports, types, and the texts of errors and of the log. */
function isLeftAlone(node: Node): boolean {
  return (
    isImportDeclaration(node) ||
    isExportDeclaration(node) ||
    isInterfaceDeclaration(node) ||
    isTypeAliasDeclaration(node) ||
    isTypeNode(node) ||
    isLogCall(node) ||
    (isNewExpression(node) && /(Error|BadInput|Unavailable)$/.test(node.expression.getText()))
  )
}

function described(file: string, text: string, edit: Edit): Mutant {
  const { start, end } = edit
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  return {
    ...edit,
    file,
    line: text.slice(0, start).split('\n').length,
    source: text.slice(lineStart).split('\n', 1)[0]?.trim() ?? '',
    change: `${short(text.slice(start, end))} → ${short(edit.text)}`,
  }
}

function short(code: string): string {
  const flat = code.replace(/\s+/g, ' ').trim()
  if (flat === '' || flat === ';') return 'nothing'
  return flat.length > 60 ? `${flat.slice(0, 59)}…` : flat
}
